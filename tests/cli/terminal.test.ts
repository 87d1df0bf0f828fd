/** A person at a terminal: echo, line editing, job control, Ctrl-C and Ctrl-D, and the terminal as it was afterwards. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { busybox } from "../native/compare.ts";
import { repository } from "./trapgate.ts";

/** script(1) gives a program a pseudo-terminal. */
const hasScript = spawnSync("script", ["--version"]).status === 0;
const PROMPT = "ready> ";

/** A conversation with a program on a terminal. */
class Session {
  private readonly child: ChildProcess;
  private text = "";

  constructor(command: string) {
    const env = { ...process.env, PS1: PROMPT, SHELL: "/bin/sh", TERM: "dumb" };
    this.child = spawn("script", ["-qefc", command, "/dev/null"], { cwd: repository, env });
    this.child.stdout!.on("data", (bytes: Buffer) => (this.text += bytes.toString("latin1")));
  }

  send(text: string): void {
    this.child.stdin!.write(text, "latin1");
  }

  /** Waits until the program has said this, and forgets everything up to there; gives what was said before. */
  async expect(wanted: string): Promise<string> {
    for (let waited = 0; waited < 20_000; waited += 10) {
      const at = this.text.indexOf(wanted);
      if (at >= 0) {
        const before = this.text.slice(0, at);
        this.text = this.text.slice(at + wanted.length);
        return before;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.child.kill("SIGKILL");
    throw new Error(`never said ${JSON.stringify(wanted)}, but ${JSON.stringify(this.text)}`);
  }

  /** Sends a line and gives what the program prints up to the next prompt, its own echo first. */
  async line(text: string): Promise<string> {
    this.send(`${text}\r`);
    return this.expect(PROMPT);
  }

  async ended(): Promise<number> {
    if (this.child.exitCode === null) await once(this.child, "exit");
    return this.child.exitCode!;
  }
}

/** A shell gives the terminal to the command a moment after it has read the line; nobody types that fast. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 400));

describe.skipIf(!hasScript || !busybox)("at a terminal", () => {
  const start = async (options = ""): Promise<Session> => {
    const session = new Session(`${process.execPath} ${join(repository, "bin/trapgate")} run ${options} ${busybox} sh`);
    await session.expect(PROMPT);
    return session;
  };

  it("a shell echoes, runs commands and ends with Ctrl-D", async () => {
    const shell = await start();
    expect(await shell.line("echo hello")).toMatch(/echo hello\r\nhello\r\n$/);
    expect(await shell.line("tty; test -t 0 && test -t 1 && echo both")).toMatch(/\/dev\/\S+\r\nboth\r\n$/);
    await shell.line("(exit 3)");
    shell.send("\x04");
    expect(await shell.ended()).toBe(3);
  });

  it("Ctrl-C ends the command in the foreground, not the shell", async () => {
    const shell = await start();
    shell.send("sleep 100\r");
    await shell.expect("sleep 100\r\n");
    await settled();
    shell.send("\x03");
    expect(await shell.expect(PROMPT)).toContain("^C");
    expect(await shell.line("echo status $?")).toContain("status 130");
    shell.send("exit\r");
    expect(await shell.ended()).toBe(0);
  });

  it("Ctrl-C reaches a program that computes", async () => {
    const shell = await start();
    shell.send("sh -c 'while :; do :; done'\r");
    await shell.expect("done'\r\n");
    await settled();
    shell.send("\x03");
    await shell.expect(PROMPT);
    shell.send("exit 0\r");
    expect(await shell.ended()).toBe(0);
  });

  it("Ctrl-Z stops a job and fg goes on with it", async () => {
    const shell = await start();
    shell.send("cat\r");
    await shell.expect("cat\r\n");
    await settled();
    shell.send("one\r");
    await shell.expect("one\r\none\r\n");
    shell.send("\x1a");
    expect(await shell.expect(PROMPT)).toContain("Stopped");
    shell.send("fg\r");
    await shell.expect("cat\r\n");
    await settled();
    shell.send("two\r");
    await shell.expect("two\r\ntwo\r\n");
    shell.send("\x04");
    await shell.expect(PROMPT);
    shell.send("exit\r");
    expect(await shell.ended()).toBe(0);
  });

  it("lines can be edited before they are sent", async () => {
    const session = new Session(`${process.execPath} ${join(repository, "bin/trapgate")} run ${busybox} cat`);
    await settled();
    session.send("wronh\x7fg\x15right\r");
    await session.expect("right\r\nright\r\n");
    session.send("\x04");
    expect(await session.ended()).toBe(0);
  });

  it("the terminal is as before when the machine has ended", async () => {
    const run = `${process.execPath} ${join(repository, "bin/trapgate")} run`;
    const session = new Session(
      `stty -a > /dev/null; ${run} ${busybox} true; ${run} ${busybox} sh -c 'kill -9 $$'; stty -a; echo ended`,
    );
    const said = await session.expect("ended");
    expect(said).toMatch(/ icanon /);
    expect(said).toMatch(/ echo /);
  });
});
