/** `trapgate conformance`: programs of all kinds, selection, comparison with Linux, formats and exit codes. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Report } from "../../machine/conformance/report.ts";
import { busybox, hostRunsGuests } from "../native/compare.ts";
import { guest, inScratch, startTrapgate, trapgate, type Ran } from "./trapgate.ts";

const box = busybox ?? "busybox";

/** Shell scripts for busybox, in a folder of their own called t. */
type Suite = Readonly<Record<string, string>>;

function withSuite<T>(suite: Suite, use: (run: (...args: string[]) => Ran, folder: string) => T): T {
  return inScratch((cwd) => {
    for (const [name, script] of Object.entries(suite)) writeScript(join(cwd, "t", name), script);
    return use((...args) => trapgate(["conformance", "--bind", `${box}:${box}`, ...args], { cwd }), cwd);
  });
}

function writeScript(path: string, script: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!${box} sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const tap = (...results: string[]): string =>
  `echo 1..${results.length}; ${results.map((r) => `echo '${r}'`).join("; ")}`;

/** Names of cases with their verdicts. */
function verdicts({ out }: Ran): Record<string, string> {
  const { programs } = JSON.parse(out) as Report;
  return Object.fromEntries(programs.flatMap(({ cases }) => cases.map(({ name, verdict }) => [name, verdict])));
}

describe("wrong usage is exit code 2 and one sentence", () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no programs", [], /which programs\?/],
    ["a program that is not there", ["./no-such"], /there is no \.\/no-such/],
    ["a folder without programs", ["docs"], /there is no program in docs/],
    ["an unknown format", ["--format", "xml", "x"], /--format must be tap, junit, json, table/],
    ["an unknown kind", ["--kind", "x", "x"], /--kind must be/],
    ["no jobs", ["-j0", "x"], /--jobs must be/],
    ["a shard that is none", ["--shard", "3/2", "x"], /--shard must be I\/N/],
    ["a filter that is none", ["--filter", "(", "x"], /--filter: /],
    ["a list of known failures that is not there", ["--known-failures", "no-such", "x"], /--known-failures no-such/],
    ["an output that cannot be written", ["-o", "/no/such/file", "README.md"], /-o \/no\/such\/file/],
    ["native and native only", ["--native", "--native-only", "x"], /exclude each other/],
    ["an unknown option behind the programs", ["README.md", "--fast"], /unknown option --fast/],
  ];
  it.each(cases)("%s", (_, args, message) => {
    const { code, out, err } = trapgate(["conformance", ...args]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  it("a bind that the guest cannot have", () => {
    const { code, err } = trapgate(["conformance", "--host", "--bind", "/tmp:/no/such/place", "-q", guest("hello")]);
    expect(code).toBe(2);
    expect(err).toMatch(/^trapgate conformance: .*\/no\/such\/place/);
  });
});

it("without an engine it has failed, with exit code 125", () => {
  const env = { TRAPGATE_UNICORN: "/no/such/library.so" };
  const { code, err } = trapgate(["conformance", "-q", "--engine=unicorn", guest("hello")], { env });
  expect(code).toBe(125);
  expect(err).toMatch(/\/no\/such\/library\.so/);
});

describe("one guest program", () => {
  it("is judged by its exit code if it says nothing else, and nothing is on standard output", () => {
    const { code, out, err } = trapgate(["conformance", guest("hello")]);
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toMatch(/^ok {3}\S*hello: 1 passed/);
    expect(err).toMatch(/1 program, 1 case on unicorn: 1 passed, 0 failed, 0 skipped .*\nall as expected\n$/);
  });
});

describe.skipIf(!busybox)("a suite", () => {
  it("may be of all kinds", () => {
    const suite = {
      "tap/a": tap("ok 1 - one", "not ok 2 - two"),
      "ksft/b": `echo TAP version 13; ${tap("ok 1 one", "ok 2 # SKIP no root")}; echo '# Totals: pass:1 fail:0'; exit 0`,
      "ltp/c": "echo 'c.c:1: TPASS: fine' >&2; echo 'c.c:2: TCONF: not here' >&2; exit 0",
      "exit/good": "exit 0",
      "exit/bad": "exit 3",
      "exit/skip": "exit 4",
      "exit/killed": "kill -SEGV $$",
    };
    withSuite(suite, (run) => {
      const ran = run("t", "--format", "json");
      expect(ran.code).toBe(1);
      expect(verdicts(ran)).toEqual({
        "t/tap/a/one": "good",
        "t/tap/a/two": "failure",
        "t/ksft/b/one": "good",
        "t/ksft/b/2": "good",
        "t/ltp/c/1": "good",
        "t/ltp/c/2": "good",
        "t/exit/good": "good",
        "t/exit/bad": "failure",
        "t/exit/skip": "good",
        "t/exit/killed": "failure",
      });
      expect(ran.err).toMatch(/failed: t\/exit\/killed\n +was killed by SIGSEGV/);
      expect((JSON.parse(ran.out) as Report).programs.map(({ kind }) => kind).sort()).toEqual([
        "exit",
        "exit",
        "exit",
        "exit",
        "kselftest",
        "ltp",
        "tap",
      ]);
    });
  });

  it("has a fresh machine for each program, on the same worker", () => {
    const suite = { a: "echo x > /tmp/file; ls /tmp; exit 0", b: "test ! -e /tmp/file", c: "test ! -e /tmp/file" };
    withSuite(suite, (run) => expect(run("-j", "1", "t").code).toBe(0));
  });

  it("is told that it is here, and what -E says, and nothing of the host's environment", () => {
    withSuite({ a: 'test "$TRAPGATE,$X,$SECRET,$PWD" = 1,y,,/tmp' }, (run) => expect(run("-EX=y", "t").code).toBe(0));
  });

  it("may be in a root of its own", () => {
    inScratch((cwd) => {
      for (const name of ["bin", "dev", "proc", "tmp", "tests/x"]) mkdirSync(join(cwd, "r", name), { recursive: true });
      copyFileSync(box, join(cwd, "r/bin/busybox"));
      const script = "#!/bin/busybox sh\ntest -d /tests/x && test $PWD = /tmp\n";
      for (const name of ["tests/a", "tests/x/b"]) writeFileSync(join(cwd, "r", name), script, { mode: 0o755 });
      const args = ["conformance", "--root", "r", "--format", "json", "-q"];
      expect(verdicts(trapgate([...args, "/tests"], { cwd }))).toEqual({ "/tests/a": "good", "/tests/x/b": "good" });
      expect(verdicts(trapgate([...args, "tests/a"], { cwd }))).toEqual({ "tests/a": "good" });
      expect(trapgate([...args, "/tests/c"], { cwd }).code).toBe(2);
    });
  });

  it("calls a program that does not end in time hanging", () => {
    withSuite({ busy: "while :; do :; done", still: "sleep 1000000000" }, (run) => {
      const { code, err } = run("--timeout", "0.5", "--clock", "host", "t");
      expect(code).toBe(1);
      expect(err).toMatch(/failed: t\/busy\n +hangs: stopped after 0.5 seconds/);
      expect(err).toMatch(/failed: t\/still\n +hangs: stopped after 0.5 seconds/);
    });
  });

  it("says what a program needs that cannot be started", () => {
    inScratch((cwd) => {
      writeFileSync(join(cwd, "a"), "#!/no/such/sh\n", { mode: 0o755 });
      const { code, err } = trapgate(["conformance", "a"], { cwd });
      expect(code).toBe(1);
      expect(err).toMatch(/could not be started: not found: it needs \/no\/such\/sh/);
    });
  });

  it("takes only executable programs from folders, and no libraries", () => {
    withSuite({ a: "exit 0", "lib.so.1": "exit 1", ".hidden": "exit 1" }, (run, cwd) => {
      writeFileSync(join(cwd, "t/README"), "words\n");
      writeFileSync(join(cwd, "t/script"), "#!/bin/sh\n");
      expect(Object.keys(verdicts(run("t", "--format=json")))).toEqual(["t/a"]);
    });
  });

  it("may be filtered by program and by case", () => {
    const suite = { a: tap("ok 1 - one", "not ok 2 - two"), b: tap("ok 1 - one"), c: "exit 1" };
    withSuite(suite, (run) => {
      const names = (filter: string) => Object.keys(verdicts(run("--filter", filter, "t", "--format", "json")));
      expect(names("^t/[bc]")).toEqual(["t/b/one", "t/c"]);
      expect(names("a/one")).toEqual(["t/a/one"]);
      expect(names("two")).toEqual(["t/a/two", "t/c"]);
      expect(names("one$")).toEqual(["t/a/one", "t/b/one", "t/c"]);
    });
  });

  it("may be spread over several computers", () => {
    const suite = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, "exit 0"]));
    withSuite(suite, (run) => {
      const names = (shard: string) => Object.keys(verdicts(run("--shard", shard, "t", "--format", "json")));
      expect([...names("1/2"), ...names("2/2")].sort()).toEqual(["t/a", "t/b", "t/c", "t/d", "t/e"]);
    });
  });
});

describe.skipIf(!busybox)("a list of known failures", () => {
  const suite = { a: tap("ok 1 - one", "not ok 2 - two"), b: "exit 1" };
  const runs = (list: string, ...args: string[]): Ran =>
    withSuite(suite, (run, cwd) => {
      writeFileSync(join(cwd, "known"), list);
      return run("--known-failures", "known", "t", ...args);
    });

  it("makes failures expected", () => {
    const { code, err } = runs("t/a/two  not yet\nb  broken\n");
    expect(code).toBe(0);
    expect(err).toMatch(/2 failed \(2 known\)/);
  });

  it("makes a pass unexpected", () => {
    const { code, err } = runs("t/a/one  ?\nt/a/two  not yet\nt/b  broken\n");
    expect(code).toBe(1);
    expect(err).toMatch(/listed as known failures, and pass:\n {2}t\/a\/one\n/);
  });

  it("must not list what does not exist", () => {
    const { code, err } = runs("t/a/two  not yet\nt/b  broken\nt/c/1  gone\n");
    expect(code).toBe(1);
    expect(err).toMatch(/and do not exist:\n {2}t\/c\/1\n/);
  });

  it("may list what this run leaves out", () => {
    expect(runs("t/a/two  not yet\nt/b  broken\n", "--filter", "^t/b").code).toBe(0);
    expect(runs("t/a/two  not yet\nt/b  broken\n", "--filter", "a/one").code).toBe(0);
    expect(runs("t/a/two  not yet\nt/b  broken\n", "--shard", "1/2").code).toBe(0);
  });

  it("must have reasons", () => {
    const { code, err } = runs("t/b\n");
    expect(code).toBe(2);
    expect(err).toMatch(/line 1: "t\/b" has no reason/);
  });
});

describe.skipIf(!busybox || !hostRunsGuests)("compared with Linux", () => {
  const differing = `{ ${tap("ok 1 - same", "ok 2 - other", "ok 3 - here")}; } | if [ "$TRAPGATE" ]; then cat; else sed 's/ok 2/not ok 2/; s/here/here # SKIP no/'; fi`;

  it("every case that differs is reported", () => {
    withSuite({ a: differing }, (run) => {
      const ran = run("--native", "t", "--format", "json");
      expect(ran.code).toBe(1);
      expect(verdicts(ran)).toEqual({ "t/a/same": "good", "t/a/other": "difference", "t/a/here": "good" });
      expect(ran.err).toMatch(/1 of 2 comparable cases as on Linux \(50.0 %\)/);
      expect(ran.err).toMatch(/differs from Linux: t\/a\/other\n +passed in the machine, failed on Linux/);
    });
  });

  it("the table has the agreement of each folder", () => {
    withSuite({ "x/a": differing, "y/b": "exit 0" }, (run) => {
      const { out } = run("--native", "-q", "t", "--format", "table");
      expect(out).toMatch(/`t\/x` +\| +1 \| +3 \| +3 \| +0 \| +2 \| +1 \| +50.0 % \|/);
      expect(out).toMatch(/`t\/y` +\| +1 \| +1 \| +1 \| +0 \| +1 \| +1 \| +100.0 % \|/);
    });
  });

  it("native runs have an empty folder of their own, and nothing of them is left", () => {
    const script = `test -z "$(ls)" && echo "$PWD" > "$X/where" && echo x > file`;
    withSuite({ a: script }, (run, cwd) => {
      expect(run("--native-only", `-EX=${cwd}`, "t").code).toBe(0);
      const place = readFileSync(join(cwd, "where"), "utf8").trim();
      expect(place).not.toBe(cwd);
      expect(existsSync(place)).toBe(false);
    });
  });

  it("a native hang is ended with all its children", () => {
    withSuite({ a: 'sleep 1000 & echo $! > "$X/pid"; wait' }, (run, cwd) => {
      const { code, err } = run("--native-only", "--timeout", "0.5", `-EX=${cwd}`, "t");
      expect(code).toBe(1);
      expect(err).toMatch(/hangs: stopped after 0.5 seconds/);
      const pid = Number(readFileSync(join(cwd, "pid"), "utf8"));
      const state = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout?.trim() ?? "";
      expect(state === "" || state.startsWith("Z")).toBe(true);
    });
  });
});

describe.skipIf(!busybox)("results", () => {
  const suite = { a: tap("ok 1 - one", "not ok 2 - two # TODO later"), b: tap("ok 1 - x # SKIP no") };

  it("are TAP 14 with a subtest for each program", () => {
    withSuite(suite, (run) => {
      const { out } = run("-q", "t", "--format", "tap");
      const lines = out.split("\n").filter((line) => !/duration_ms|---|\.\.\.$/.test(line));
      expect(lines).toEqual([
        "TAP version 14",
        "1..2",
        "# Subtest: t/a",
        "    1..2",
        "    ok 1 - one",
        "    not ok 2 - two # TODO later",
        "ok 1 - t/a",
        "# Subtest: t/b",
        "    1..1",
        "    ok 1 - x # SKIP no",
        "ok 2 - t/b",
        "",
      ]);
    });
  });

  it.each([
    ["result.xml", /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites /],
    ["result.json", /^\{\n {2}"format": "trapgate-conformance"/],
    ["result.md", /^\| Folder/],
    ["result.tap", /^TAP version 14\n/],
  ])("are written to %s in the form of its name", (name, text) => {
    withSuite(suite, (run, cwd) => {
      expect(run("-q", "-o", name, "t").out).toBe("");
      expect(readFileSync(join(cwd, name), "utf8")).toMatch(text);
    });
  });

  it("do not depend on how many programs run at a time", () => {
    withSuite({ ...suite, c: "exit 0", d: "echo $RANDOM; date; exit 0" }, (run) => {
      const results = (jobs: string) =>
        run("-q", "-j", jobs, "t", "--format", "json").out.replaceAll(/"milliseconds": [\d.]+/g, "");
      expect(results("4")).toBe(results("1"));
    });
  });
});

describe.skipIf(!busybox)("a signal to stop", () => {
  it("ends the run and all that runs for it", async () => {
    const cwd = mkdtempSync(join(tmpdir(), "trapgate-cli-"));
    try {
      writeScript(join(cwd, "t/a"), "exit 0");
      writeScript(join(cwd, "t/b"), "while :; do :; done");
      const args = ["--bind", `${box}:${box}`, "-j", "1"];
      const child = startTrapgate(["conformance", ...args, "t"], cwd);
      // The first program has ended, so the second is running, or about to.
      const [text] = (await once(child.stderr!, "data")) as [Buffer];
      expect(text.toString()).toMatch(/^ok {3}t\/a/);
      child.kill("SIGTERM");
      expect(await once(child, "exit")).toEqual([143, null]);
    } finally {
      rmSync(cwd, { recursive: true });
    }
  });
});
