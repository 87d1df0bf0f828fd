/** Broken programs in a whole machine: execve refuses them, or they die by a signal, and the machine goes on. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errnoByNumber } from "../../abi/errno.ts";
import { ProgramError } from "../../machine/index.ts";
import { elfFile, mutate, type ElfFields } from "../support/elf.ts";
import { Random } from "../support/random.ts";
import { guestPath, runGuest } from "../support/run-guest.ts";
import { tarOf } from "../support/tar.ts";

const hello = new Uint8Array(readFileSync(guestPath("hello")));
const EXEC_ALL = guestPath("bad-input/exec-all");

/** What became of each file: `errno 8`, `signal 11`, `exit 0` or `hangs`. */
async function execAll(files: Readonly<Record<string, Uint8Array>>): Promise<Map<string, string>> {
  const { result, stdout } = await runGuest(EXEC_ALL, {
    argv: ["exec-all", ...Object.keys(files).map((name) => `/${name}`)],
    root: { kind: "tar", bytes: tarOf(files) },
  });
  expect(result).toEqual({ kind: "exited", code: 0 });
  const lines = stdout.split("\n").map((line) => /^\/(\S+) (errno \d+|signal \d+|exit \d+|hangs)$/.exec(line));
  return new Map(lines.flatMap((match) => (match ? [[match[1]!, match[2]!] as const] : [])));
}

describe("a broken program", () => {
  const random = new Random(20260101);
  const batch = (count: number): Record<string, Uint8Array> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, mutate(hello, random)]));

  it.each([1, 2, 3])("is refused, or dies, or runs, and never harms the machine: 200 mutations, batch %i", async () => {
    const files = batch(200);
    const outcomes = await execAll(files);
    // What a mutated hello writes may share a line with the report: such a file has run.
    expect(outcomes.size).toBeGreaterThan(150);
    for (const outcome of outcomes.values()) {
      const [kind, number] = outcome.split(" ");
      if (kind === "errno")
        expect(["ENOEXEC", "EINVAL", "EIO", "ENOMEM", "EEXIST", "ELIBBAD", "ENOENT", "EACCES"]).toContain(
          errnoByNumber.get(Number(number))!.name,
        );
      if (kind === "signal") expect([4, 5, 7, 8, 11]).toContain(Number(number));
    }
    expect(new Set([...outcomes.values()].map((text) => text.split(" ")[0]))).toContain("errno");
  });
});

const refused: readonly (readonly [string, Uint8Array, string])[] = [
  ["an empty file", new Uint8Array(0), "ENOEXEC"],
  ["a text", new TextEncoder().encode("hello, world\n"), "ENOEXEC"],
  ["half a header", hello.slice(0, 40), "ENOEXEC"],
  ["no program headers", hello.slice(0, 64), "EIO"],
  ["another machine", elfFile({ machine: 183 }), "ENOEXEC"],
  ["segments over each other", elfFile({ headers: [{}, { address: 0x401000 }] }), "EEXIST"],
  ["a segment at an odd place", elfFile({ headers: [{ address: 0x401004 }] }), "EINVAL"],
  ["an interpreter that is not there", withInterpreter("/no/such"), "ENOENT"],
  ["an interpreter that is a folder", withInterpreter("/tmp"), "EACCES"],
  ["a script whose interpreter is not there", new TextEncoder().encode("#!/no/such\n"), "ENOENT"],
  ["a script without an interpreter", new TextEncoder().encode("#!\n"), "ENOEXEC"],
  ["a script that interprets itself", new TextEncoder().encode("#!/program\n"), "ELOOP"],
];

function withInterpreter(path: string): Uint8Array {
  const headers = [
    {},
    { type: 3, offset: 0x200, address: 0x200, fileSize: path.length + 1 },
  ] satisfies ElfFields["headers"];
  const bytes = elfFile({ headers });
  bytes.set(new TextEncoder().encode(`${path}\0`), 0x200);
  return bytes;
}

describe("the first program of a machine", () => {
  it.each(refused)("that is %s cannot be started, and the error says why", async (_, bytes, name) => {
    const root = { kind: "tar", bytes: tarOf({ program: bytes }) } as const;
    const failure: unknown = await runGuest(EXEC_ALL, { root, program: "/program" }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProgramError);
    expect((failure as ProgramError).errno.name).toBe(name);
    expect((failure as ProgramError).message).toBe(`/program: ${(failure as ProgramError).errno.text}`);
  });
});
