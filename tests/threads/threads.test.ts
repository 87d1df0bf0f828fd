/** Threads of real programs: what they print and how they end must be the same as on the host. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostRunsGuests, trapgate } from "../native/compare.ts";
import { LANGUAGES } from "./languages.ts";

const PATIENCE_MS = 120_000;

describe.skipIf(!hostRunsGuests)("threaded programs run as on the host", () => {
  let scratch: string;
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), "trapgate-threads-"));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  const run = (words: readonly string[], env: Record<string, string> = {}) => {
    const { status, stdout, stderr, error } = spawnSync(words[0]!, words.slice(1), {
      cwd: scratch,
      env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", LC_ALL: "C", ...env },
      encoding: "latin1",
      timeout: PATIENCE_MS / 2,
      killSignal: "SIGKILL",
    });
    return { code: status, out: stdout, err: stderr, ...(error && { error: error.message }) };
  };

  for (const language of hostRunsGuests ? LANGUAGES : []) {
    const missing = language.missing();
    const reason = missing === "" ? "" : ` (skipped: ${missing})`;
    it.skipIf(missing !== "")(
      `${language.name}${reason}`,
      () => {
        const product = join(scratch, language.name.replaceAll(/\W+/g, "-"));
        if (language.compile)
          expect(run(language.compile(product, scratch), language.env?.(scratch))).toMatchObject({ code: 0 });
        // In the scratch folder, which the guest sees wherever this project lies: it has a /tmp of its own.
        const script = join(scratch, language.source);
        if (language.interpreter) copyFileSync(join(import.meta.dirname, language.source), script);
        const program = language.interpreter ? [language.interpreter, script, ...(language.args ?? [])] : [product];
        const native = run(program);
        expect(native).toMatchObject({ code: language.code, err: "" });
        expect(run([process.execPath, trapgate, "run", "--host", ...program])).toEqual(native);
      },
      PATIENCE_MS,
    );
  }
});
