/** A mistake of ours in a handler stops its machine with a report, and nothing else. */
import { describe, expect, it } from "vitest";
import { syscallByName } from "../../abi/syscalls.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task/task.ts";
import { exitCode, guestPath, runGuest } from "../support/run-guest.ts";

/** Puts a bug into one call, for the tasks that it is meant for. */
const breakCall =
  (name: string, isMeant: (task: Task) => boolean = () => true) =>
  (kernel: Kernel): void => {
    const { dispatcher } = kernel;
    const call = dispatcher.call.bind(dispatcher);
    const { number } = syscallByName.get(name)!;
    dispatcher.call = (task, which, cpu) => {
      if (which === number && isMeant(task)) throw new TypeError(`injected into ${name}`);
      return call(task, which, cpu);
    };
  };

describe("a bug in a handler", () => {
  it("gives a report with task, pids of all levels, call and registers", async () => {
    const isNested = (task: Task): boolean => task.pid.namespace.level === 2;
    const { result } = await runGuest(guestPath("clone2"), { onBoot: breakCall("write", isNested) });
    expect(result.kind).toBe("failed");
    const report = result.kind === "failed" ? result.report : "";
    expect(report).toMatch(/^kernel bug: injected into write\n/);
    expect(report).toMatch(/^task: clone2, pids outermost first: \d+ \d+ \d+$/m);
    expect(report).toMatch(/^system call: write$/m);
    expect(report).toMatch(/^registers: rax=1 rcx=4[0-9a-f]{5} /m);
    for (const name of ["rdi=1", "rsi=", "rsp=7ff", "r15=", "rip=4", "rflags=", "fs_base="])
      expect(report).toContain(name);
    expect(report).toMatch(/handler-bug\.test\.ts/);
    expect(exitCode(result)).toBe(125);
  });

  it.each(["execve", "mmap", "exit_group", "rt_sigreturn", "wait4", "clone", "fork"])(
    "in %s does no harm to the next machine",
    async (name) => {
      const program =
        name === "rt_sigreturn"
          ? "signals"
          : name === "clone"
            ? "threads-by-clone"
            : name === "mmap"
              ? "faults"
              : "fork-tree";
      const bomb = name === "execve" ? "bad-input/process-bombs" : program;
      const { result } = await runGuest(guestPath(bomb), { argv: ["program", "exec", "3"], onBoot: breakCall(name) });
      expect(result.kind).toBe("failed");
      const next = await runGuest(guestPath("hello"));
      expect(next.result).toEqual({ kind: "exited", code: 0 });
    },
  );

  it("that throws no Error has a report too", async () => {
    const onBoot = (kernel: Kernel): void => {
      kernel.dispatcher.call = () => {
        throw "a string";
      };
    };
    const { result } = await runGuest(guestPath("hello"), { onBoot });
    expect(result).toMatchObject({
      kind: "failed",
      report: expect.stringMatching(/^kernel bug: a string\ntask: hello/) as string,
    });
  });
});
