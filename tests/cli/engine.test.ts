/** Which engine runs: with Unicorn, and where TRAPGATE_UNICORN leads to none. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { guest, inScratch, trapgate, type Surroundings } from "./trapgate.ts";

const hello = guest("hello");
const nowhere: Surroundings = { env: { TRAPGATE_UNICORN: "/nowhere/libunicorn.so.2" } };

/** What a conformance report calls the engine. */
function engineOf(options: readonly string[], surroundings?: Surroundings): string {
  return inScratch((folder) => {
    const report = join(folder, "report.json");
    trapgate(["conformance", "-q", "-o", report, ...options, hello], surroundings);
    return (JSON.parse(readFileSync(report, "utf8")) as { engine: string }).engine;
  });
}

describe("--engine", () => {
  it("is auto unless it is given", () => {
    expect(trapgate(["run", hello], nowhere)).toEqual(trapgate(["run", "--engine=auto", hello], nowhere));
    expect(engineOf([], nowhere)).toBe(engineOf(["--engine=auto"], nowhere));
  });

  it("auto is unicorn where that is there", () => {
    expect(engineOf(["--engine=auto"])).toBe("unicorn");
  });

  it("auto is wasm where it is not, and no word is lost about it", () => {
    expect(engineOf(["--engine=auto"], nowhere)).toBe("wasm");
    expect(trapgate(["run", hello], nowhere)).toEqual({ code: 0, out: "Hello from ring 3.\n", err: "" });
    expect(trapgate(["trace", hello], nowhere).code).toBe(0);
  });

  it("auto is wasm for a processor with AVX", () => {
    expect(engineOf(["--cpu=x86-64-v3"])).toBe("wasm");
  });

  it("unicorn where it is not is an error that says how to get one", () => {
    const { code, err } = trapgate(["run", "--engine=unicorn", hello], nowhere);
    expect(code).toBe(125);
    expect(err).toMatch(/^trapgate: cannot load libunicorn: .*setup-debian.*TRAPGATE_UNICORN/);
  });
});
