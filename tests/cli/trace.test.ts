/** `trapgate trace`: strace's form, filters, files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { busybox } from "../native/compare.ts";
import { guest, inScratch, trapgate } from "./trapgate.ts";

describe("trapgate trace", () => {
  it("prints each call with its result, and the end", () => {
    const { code, out, err } = trapgate(["trace", guest("hello")]);
    expect(code).toBe(0);
    expect(err.split("\n")).toEqual([
      expect.stringMatching(/^execve\("\/.*hello", \["\/.*\], \[\/\* \d+ vars \*\/\]\) +?= 0$/),
      `write(1, ${JSON.stringify(out)}, ${out.length})`.padEnd(39) + ` = ${out.length}`,
      `${"exit_group(0)".padEnd(39)} = ?`,
      "+++ exited with 0 +++",
      "",
    ]);
  });

  it("writes to a file with -o and leaves standard error to the guest", () => {
    inScratch((folder) => {
      const file = join(folder, "trace");
      expect(trapgate(["trace", "-o", file, guest("hello")]).err).toBe("");
      expect(readFileSync(file, "utf8")).toMatch(/exit_group\(0\) += \?\n\+\+\+ exited with 0 \+\+\+\n$/);
    });
  });

  it("decodes clone2 with its flags by name and the levels of its pids", () => {
    const { err } = trapgate(["trace", "-e", "trace=clone2", guest("clone2")]);
    expect(err).toMatch(
      /^\[pid \d+\] clone2\(\{flags=CLONE_NEWPID\|SIGCHLD, .*nr_pids=2, .*\}, \[1200 \/\* level 0 \*\/, 2200 \/\* level 1 \*\/\]\) += 2200$/m,
    );
    expect(err).toMatch(/^clone2\(NULL, NULL\) += -1 EFAULT \(Bad address\)$/m);
    expect(err).not.toMatch(/wait4|write/);
  });

  it("takes classes and negated lists", () => {
    const processes = trapgate(["trace", "-e", "%process", guest("fork-tree")]).err;
    expect(processes).toMatch(/\bfork\(\)/);
    expect(processes).not.toMatch(/\bwrite\(/);
    const rest = trapgate(["trace", "-e", "trace=!%process", guest("fork-tree")]).err;
    expect(rest).not.toMatch(/\bfork\(\)/);
    expect(rest).toMatch(/\bwrite\(/);
  });

  it("follows children by default and not with --no-follow", () => {
    expect(trapgate(["trace", guest("fork-tree")]).err).toMatch(/^\[pid \d+\] exit_group\(1\)/m);
    const alone = trapgate(["trace", "--no-follow", guest("fork-tree")]).err;
    expect(alone).not.toMatch(/^\[pid/m);
    expect(alone).toMatch(/^\+\+\+ exited with 0 \+\+\+$/m);
  });

  it("cuts a call in two when another task has something to say", () => {
    const { err } = trapgate(["trace", guest("fork-tree")]);
    expect(err).toMatch(/^\[pid \d+\] wait4\(\d+, +<unfinished \.\.\.>$/m);
    expect(err).toMatch(/<\.\.\. wait4 resumed>\[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == \d+\}\], 0, NULL\) += \d+$/m);
  });

  it("shows as many bytes of a string as -s says", () => {
    const shown = (limit: string) =>
      /write\(1, (".*?"\.*)/.exec(trapgate(["trace", "-s", limit, guest("hello")]).err)?.[1];
    expect(shown("4")).toBe('"Hell"...');
    expect(shown("0")).toBe('""...');
  });

  it.skipIf(!busybox)("shows signals and how they end a process", () => {
    const { code, err } = trapgate(["trace", busybox!, "sh", "-c", "kill -TERM $$"]);
    expect(code).toBe(143);
    expect(err).toMatch(/^--- SIGTERM \{si_signo=SIGTERM, si_code=SI_USER, si_pid=2, si_uid=0\} ---$/m);
    expect(err).toMatch(/^\+\+\+ killed by SIGTERM \+\+\+$/m);
  });
});
