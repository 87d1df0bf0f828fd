/** `trapgate run`: streams, exit codes, environment, roots, limits and signals. */
import { once } from "node:events";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { busybox } from "../native/compare.ts";
import { guest, inScratch, repository, startTrapgate, trapgate } from "./trapgate.ts";

const box = busybox ?? "busybox";

describe("trapgate itself", () => {
  it("says its version", () => {
    const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { version: string };
    expect(trapgate(["--version"])).toEqual({ code: 0, out: `trapgate ${version}\n`, err: "" });
  });

  it.each([["--help"], ["help", "run"], ["run", "--help"], ["trace", "-h"], ["syscalls", "--help"]])(
    "helps: %s %s",
    (...args) => {
      const { code, out, err } = trapgate(args.filter(Boolean));
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toMatch(/^Usage: trapgate /);
    },
  );
});

describe("a guest program", () => {
  it("prints what it prints, and nothing of ours", () => {
    const { code, out, err } = trapgate(["run", guest("hello")]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/hello/i);
  });
});

describe.skipIf(!busybox)("busybox as guest", () => {
  const sh = (script: string, options: readonly string[] = [], surroundings = {}) =>
    trapgate(["run", ...options, box, "sh", "-c", script], surroundings);

  it("passes its exit code through", () => expect(sh("exit 42").code).toBe(42));

  it("dies by a signal as 128 + N", () => expect(sh("kill -SEGV $$")).toEqual({ code: 139, out: "", err: "" }));

  it("keeps standard output and error apart", () => {
    expect(sh("echo to out; echo to err >&2")).toEqual({ code: 0, out: "to out\n", err: "to err\n" });
  });

  it("reads a pipe to its end", () => {
    const input = Buffer.alloc(1_000_003, "0123456789abcdef\n");
    const { code, out } = trapgate(["run", box, "md5sum"], { input });
    const same = trapgate(["run", box, "cat"], { input });
    expect(code).toBe(0);
    expect(out).toMatch(/^[0-9a-f]{32} {2}-\n$/);
    expect(same.out).toBe(input.toString("latin1"));
  });

  it("sees the end of an empty input", () => expect(sh("cat; echo end", [], { input: "" }).out).toBe("end\n"));

  it("leaves its arguments alone, options and all", () => {
    expect(trapgate(["run", box, "echo", "--host", "-E", "é"]).out).toBe(
      Buffer.from("--host -E é\n").toString("latin1"),
    );
  });

  it("inherits the environment, with -E and -U applied", () => {
    const env = { KEPT: "1", GONE: "2", CHANGED: "3" };
    const options = ["-E", "CHANGED=4", "-ENEW=5", "-U", "GONE"];
    expect(sh("echo $KEPT,$GONE,$CHANGED,$NEW", options, { env }).out).toBe("1,,4,5\n");
  });

  it("starts in the current folder, which it cannot change", () => {
    inScratch((cwd) => {
      writeFileSync(join(cwd, "file"), "content\n");
      const { out, err } = sh("pwd; cat file; echo x > new", [], { cwd });
      expect(out).toBe(`${cwd}\ncontent\n`);
      expect(err).toMatch(/Read-only file system/);
    });
  });

  it("may change the current folder with --rw", () => {
    inScratch((cwd) => {
      expect(sh("echo x > new && mkdir d && mv new d/old", ["--rw"], { cwd })).toEqual({ code: 0, out: "", err: "" });
      expect(readFileSync(join(cwd, "d/old"), "utf8")).toBe("x\n");
    });
  });

  it("sees nothing else of the host", () => {
    expect(sh("ls /etc /home; cat /etc/passwd").code).not.toBe(0);
  });

  it("sees binds where they are put", () => {
    inScratch((cwd) => {
      writeFileSync(join(cwd, "a"), "bound\n");
      const options = ["--bind", `${cwd}:/mnt/x:rw`, "--bind", `${join(cwd, "a")}:/etc/config`];
      expect(sh("cat /etc/config; echo b > /mnt/x/b; echo c > /etc/config", options).out).toBe("bound\n");
      expect(readFileSync(join(cwd, "b"), "utf8")).toBe("b\n");
      expect(readFileSync(join(cwd, "a"), "utf8")).toBe("bound\n");
    });
  });

  it("runs in a tar archive as its root, compressed or not", () => {
    inScratch((cwd) => {
      const make =
        "mkdir -p r/bin r/etc; cp $BUSYBOX r/bin/busybox; ln -s busybox r/bin/sh; echo hi > r/etc/greeting; tar cf root.tar -C r .";
      expect(sh(make, ["--rw", "-E", `BUSYBOX=${box}`, "--bind", `${box}:${box}`], { cwd }).err).toBe("");
      const script = "cat /etc/greeting; echo new > /etc/new; cat /etc/new; echo $HOME; pwd";
      const inRoot = (root: string) => trapgate(["run", "--root", join(cwd, root), "sh", "-c", script]);
      expect(inRoot("root.tar")).toEqual({ code: 0, out: "hi\nnew\n/root\n/\n", err: "" });
      writeFileSync(join(cwd, "root.tar.gz"), gzipSync(readFileSync(join(cwd, "root.tar"))));
      expect(inRoot("root.tar.gz").out).toBe("hi\nnew\n/root\n/\n");
    });
  });

  it("is stopped by the time-out with exit code 124", () => {
    const started = Date.now();
    const { code, err } = sh("while :; do :; done", ["--timeout", "0.5"]);
    expect(code).toBe(124);
    expect(err).toMatch(/^trapgate: stopped: .*time-out/);
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it("is stopped by the time-out while it sleeps", () => expect(sh("sleep 100", ["--timeout", "0.3"]).code).toBe(124));

  it("sleeps without waiting on a virtual clock", () => {
    const started = Date.now();
    expect(sh("sleep 1000; echo awake", ["--clock=virtual"])).toEqual({ code: 0, out: "awake\n", err: "" });
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it("has no more tasks than allowed", () => {
    const { code, err } = sh("for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait", [
      "--max-tasks",
      "6",
      "--clock=virtual",
    ]);
    expect(code).not.toBe(0);
    expect(err).toMatch(/can't fork/);
  });

  it("survives a fork bomb", () => {
    const { code } = sh("f() { f | f & }; f; sleep 0.5; echo over", ["--max-tasks", "100", "--timeout", "10"]);
    expect([0, 1, 2, 124]).toContain(code);
  });

  it("may print for ever until the time-out", () => {
    inScratch((cwd) => {
      const output = openSync(join(cwd, "output"), "w");
      const args = [join(repository, "bin/trapgate"), "run", "--timeout", "0.5", box, "yes"];
      const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", output, "ignore"] });
      closeSync(output);
      expect(status).toBe(124);
      expect(statSync(join(cwd, "output")).size).toBeGreaterThan(100_000);
    });
  });

  it("stays inside its memory", () => {
    const { code, out } = sh("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done", ["--memory", "64M", "--timeout", "60"]);
    expect(out).toBe("");
    expect(code).not.toBe(125);
    expect(code).not.toBe(0);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("gets a %s of ours while it computes", async (signal, expected) => {
    const child = startTrapgate(["run", box, "sh", "-c", "echo ready; while :; do :; done"]);
    await once(child.stdout!, "data");
    child.kill(signal);
    const [code] = (await once(child, "exit")) as [number];
    expect(code).toBe(expected);
  });

  it("gets an interrupt while it waits for input, and may catch it", async () => {
    const child = startTrapgate(["run", box, "sh", "-c", "trap 'echo caught; exit 5' INT; echo ready; read x"]);
    let out = "";
    child.stdout!.on("data", (bytes: Buffer) => (out += bytes.toString()));
    await once(child.stdout!, "data");
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number];
    expect({ code, out }).toEqual({ code: 5, out: "ready\ncaught\n" });
  });

  it("is told by a signal when nobody reads its output", async () => {
    const child = startTrapgate(["run", box, "yes"]);
    await once(child.stdout!, "data");
    child.stdout!.destroy();
    const [code] = (await once(child, "exit")) as [number];
    expect([141, 1]).toContain(code);
  });
});
