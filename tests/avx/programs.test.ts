/** Programs for x86-64-v3 in a machine with such a processor, against the same programs on the host. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasNativeJudge } from "../../emulator/wasm/lower/testing/native.ts";
import { createWasmEngine, type WasmEngineOptions } from "../../emulator/wasm/wasm-engine.ts";
import { createMachine, type MachineResult, type RootSource } from "../../machine/index.ts";
import { MemoryHost } from "../support/memory-host.ts";

const HOST_ROOT: RootSource = { kind: "host", path: "/" };
const TIMEOUT_MS = 120_000;

async function runInMachine(
  program: string,
  root: RootSource | undefined,
  cpu: WasmEngineOptions["cpu"],
): Promise<{ result: MachineResult; stdout: string; stderr: string }> {
  const host = new MemoryHost();
  const machine = createMachine({
    program,
    memory: 128 << 20,
    binds: [{ host: program, guest: program }],
    ...(root && { root }),
    engine: (memory) => createWasmEngine(memory, { ...(cpu && { cpu }) }),
    host,
  });
  const result = await machine.run();
  return { result, stdout: host.stdout, stderr: host.stderr };
}

describe.skipIf(!hasNativeJudge())("programs for x86-64-v3 print what they print on the host", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "trapgate-avx-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function compile(source: string, name: string, flags: readonly string[]): string {
    const program = join(folder, name);
    const input = join(import.meta.dirname, source);
    execFileSync("gcc", ["-O3", "-march=x86-64-v3", "-pthread", ...flags, "-o", program, input, "-lm"]);
    return program;
  }

  test.each([
    ["vector-program.c", "static", ["-static"], undefined],
    ["vector-program.c", "dynamic", [], HOST_ROOT],
    ["vector-program.c", "dynamic with lazy binding", ["-Wl,-z,lazy"], HOST_ROOT],
    ["state-program.c", "static", ["-static"], undefined],
    ["state-program.c", "dynamic", [], HOST_ROOT],
  ] as const)("%s, %s", { timeout: TIMEOUT_MS }, async (source, kind, flags, root) => {
    const program = compile(source, `${source}-${kind.replaceAll(" ", "-")}`, flags);
    const native = spawnSync(program, { encoding: "latin1" });
    expect(native.status).toBe(0);
    const { result, stdout, stderr } = await runInMachine(program, root, "x86-64-v3");
    expect(stderr).toBe("");
    expect(stdout).toBe(native.stdout);
    expect(result).toMatchObject({ kind: "exited", code: 0 });
  });

  test("on x86-64-v2 the dynamic linker refuses such a program", { timeout: TIMEOUT_MS }, async () => {
    const program = compile("vector-program.c", "refused", ["-Wl,-z,x86-64-v3"]);
    const { result, stderr } = await runInMachine(program, HOST_ROOT, "x86-64-v2");
    expect(stderr).toContain("CPU ISA level is lower than required");
    expect(result).toMatchObject({ kind: "exited", code: 127 });
  });
});
