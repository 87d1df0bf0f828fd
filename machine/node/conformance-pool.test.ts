import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConformanceRefusal, ConformanceWorker } from "./conformance-pool.ts";
import type { GuestJob } from "./conformance-protocol.ts";

/** A worker without machines that does as the first word of a job's argv says, and tells how many jobs it had. */
const SCRIPT = `
let jobs = 0;
process.on("message", ({ kind, job }) => {
  if (kind !== "job") return;
  const [word] = job.argv;
  if (word === "crash") { console.error("last words"); process.exit(3); }
  if (word === "refuse") process.send({ kind: "refused", message: "no engine", isUsage: false });
  else {
    const output = { ending: { kind: "exited", code: ++jobs }, stdout: "", stderr: "", milliseconds: 0 };
    process.send({ kind: "output", output, residentBytes: word === "fat" ? 2 ** 40 : 0 });
  }
});
process.on("disconnect", () => process.exit());
`;

describe("a worker process", () => {
  let folder = "";
  let worker: ConformanceWorker;
  const run = async (word: string) => {
    const job: GuestJob = { program: "/x", argv: [word], env: {}, cwd: "/", binds: [], timeoutMs: 60_000 };
    return (await worker.run(job)).ending;
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "trapgate-worker-"));
    writeFileSync(join(folder, "worker.cjs"), SCRIPT);
    worker = new ConformanceWorker({ script: join(folder, "worker.cjs"), args: [] }, { root: { kind: "tmpfs" } });
  });
  afterAll(() => {
    worker.dispose();
    rmSync(folder, { recursive: true });
  });

  it("does several jobs", async () => {
    expect(await run("count")).toEqual({ kind: "exited", code: 1 });
    expect(await run("count")).toEqual({ kind: "exited", code: 2 });
  });

  it("that dies is our bug, told with its last words, and there is a new one for the next job", async () => {
    const ending = await run("crash");
    expect(ending).toMatchObject({ kind: "machine-failed" });
    expect(JSON.stringify(ending)).toMatch(/exit code 3.*last words/);
    expect(await run("count")).toEqual({ kind: "exited", code: 1 });
  });

  it("that has kept too much memory is replaced", async () => {
    await run("fat");
    expect(await run("count")).toEqual({ kind: "exited", code: 1 });
  });

  it("that cannot make a machine ends the whole run", async () => {
    await expect(run("refuse")).rejects.toThrow(ConformanceRefusal);
  });
});
