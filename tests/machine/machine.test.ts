/** The library's front door: options checked by name, and what happens when we have made a mistake. */
import { describe, expect, it } from "vitest";
import { runMachine } from "../../cli/run.ts";
import { CommandError } from "../../cli/usage.ts";
import { createNodeMachine, ProgramError, type NodeMachineOptions } from "../../machine/node/index.ts";
import { guest, repository } from "../cli/trapgate.ts";

const hello: NodeMachineOptions = {
  program: guest("hello"),
  binds: [{ host: repository, guest: repository }],
  memory: 64 << 20,
};

describe("options are checked by name", () => {
  const cases: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ["an unknown key", { memroy: 1 }, /createNodeMachine: unknown option "memroy"; known are program, /],
    ["a wrong type", { memory: "64M" }, /option "memory" must be bytes of RAM, .* not "64M"/],
    [
      "a relative program",
      { program: "hello" },
      /option "program" must be an absolute path in the guest.* not "hello"/,
    ],
    ["no program", { program: undefined }, /option "program" must be .* not undefined/],
    ["a bind that is none", { binds: [{ host: "x" }] }, /option "binds" must be an array of \{ host, guest/],
    [
      "an engine that is none",
      { engine: "steam" },
      /option "engine" must be auto or unicorn or wasm or lockstep.*, not "steam"/,
    ],
    [
      "an environment that is a list",
      { env: ["A=1"] },
      /option "env" must be an object with string values, not an array/,
    ],
    ["a clock that is none", { clock: 1 }, /option "clock" must be "host" or "virtual", not 1/],
  ];
  it.each(cases)("%s", (_, wrong, message) => {
    expect(() => createNodeMachine({ ...hello, ...wrong } as NodeMachineOptions)).toThrow(message);
  });
});

describe("a machine", () => {
  it("rejects with the errno when its program does not exist", async () => {
    const machine = createNodeMachine({ ...hello, program: "/no/such" });
    await expect(machine.run()).rejects.toThrow(ProgramError);
  });

  it("takes the first program that exists", async () => {
    const machine = createNodeMachine({ ...hello, program: ["/no/such", guest("hello")] });
    expect(await machine.run()).toEqual({ kind: "exited", code: 0 });
  });

  it("can live beside another one", async () => {
    const results = await Promise.all([createNodeMachine(hello).run(), createNodeMachine(hello).run()]);
    expect(results).toEqual([
      { kind: "exited", code: 0 },
      { kind: "exited", code: 0 },
    ]);
  });
});

describe("a bug in a handler", () => {
  const broken: NodeMachineOptions = {
    ...hello,
    onBoot: (kernel) => {
      kernel.dispatcher.call = () => {
        throw new RangeError("injected by a test");
      };
    },
  };

  it("stops the machine with a report of task, pids, call and registers", async () => {
    const result = await createNodeMachine(broken).run();
    expect(result.kind).toBe("failed");
    const report = result.kind === "failed" ? result.report : "";
    expect(report).toMatch(/injected by a test/);
    expect(report).toMatch(/task: hello, pids outermost first: \d+/);
    expect(report).toMatch(/system call: write/);
    expect(report).toMatch(/rip=[0-9a-f]+/);
  });

  it("is exit code 125", async () => {
    const failure: unknown = await runMachine(broken).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CommandError);
    expect((failure as CommandError).exitCode).toBe(125);
  });
});
