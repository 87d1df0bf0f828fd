/**
 * Generated from the table of system calls: every pointer of every call that is implemented gets every kind of bad
 * address. The answer is EFAULT and nothing has changed, or the case stands in pointer-exceptions.ts with a reason.
 */
import { describe, expect, it } from "vitest";
import { isPointer } from "../../abi/syscalls.ts";
import { syscallTable } from "../../kernel/syscalls/table.ts";
import { copyToUser } from "../../kernel/mm/user-copy.ts";
import { ADDRESSES, tryVariant, variantsOf, type Finding } from "./hostile-pointers.ts";
import { describeState, difference } from "./kernel-state.ts";
import { FILE, objectOf, PIPE_WRITE, prepareTask } from "./plausible-arguments.ts";
import { changesBeforeEfault, exceptions, nameMatches } from "./pointer-exceptions.ts";

const rows = syscallTable.map(({ handler }) => handler.row).sort((a, b) => a.number - b.number);
const withPointers = rows
  .map((row) => ({ name: row.name, variants: variantsOf(row) }))
  .filter(({ variants }) => variants.length > 0);
const used = new Set<unknown>();

function isExpected(finding: Finding): boolean {
  const { call, argument, hostile, optional, result, changes } = finding;
  if (result === "EFAULT") {
    if (changes.length === 0) return true;
    const entry = changesBeforeEfault.find((row) => row[0] === call && row[1] === argument);
    used.add(entry);
    return entry !== undefined;
  }
  // NULL where it is allowed means that the call does without.
  if (optional && hostile === "NULL") return true;
  const entry = exceptions.find(
    (row) =>
      nameMatches(row.call, call) &&
      nameMatches(row.argument, argument) &&
      row.result === result &&
      (row.hostile.includes("any") || row.hostile.includes(hostile)),
  );
  used.add(entry);
  return entry !== undefined && (result === "done" || changes.length === 0);
}

describe("bad pointers", () => {
  it.each(withPointers)("to $name", ({ variants }) => {
    for (const variant of variants) {
      const unexpected = tryVariant(variant).filter((finding) => !isExpected(finding));
      const lines = unexpected.map(({ what, result, changes }) => `${what}: ${result} ${changes.join("; ")}`);
      expect(lines).toEqual([]);
    }
  });

  const vectors: readonly (readonly [string, number])[] = [
    ["writev", FILE],
    ["pwritev", FILE],
    ["pwritev2", FILE],
    ["readv", FILE],
    ["preadv", FILE],
    ["preadv2", FILE],
    ["vmsplice", PIPE_WRITE],
  ];
  it.each(vectors)(
    "inside the vectors of %s are EFAULT when they come first, and else end the transfer",
    (call, fd) => {
      for (const [, address] of ADDRESSES) {
        const { parked } = prepareTask();
        const iovec = (slot: number, base: bigint): void => {
          const words = BigUint64Array.of(base, 16n);
          copyToUser(parked.task.memory, objectOf(0) + slot * 16, new Uint8Array(words.buffer));
        };
        iovec(0, address);
        const before = describeState(parked.task);
        expect(parked.call(call, fd, objectOf(0), 1, 0)).toBe(-14);
        expect(difference(before, describeState(parked.task))).toEqual([]);
        iovec(0, BigInt(objectOf(1)));
        iovec(1, address);
        const result = parked.call(call, fd, objectOf(0), 2, 0);
        // Addresses that are nobody's are refused before anything is moved.
        expect([16, -14]).toContain(result);
      }
    },
  );

  it("were given to more than a hundred calls", () => {
    expect(withPointers.length).toBeGreaterThan(100);
    const pointers = rows.flatMap((row) => row.args.filter((arg) => isPointer(arg) || arg.kind === "variant"));
    expect(pointers.length).toBeGreaterThan(150);
  });

  it("have no exception that nothing needs", () => {
    const implemented = new Set<string>(rows.map(({ name }) => name));
    const isAbsent = (call: string): boolean => !call.includes("*") && !implemented.has(call.replace(/[: ].*/, ""));
    const unused = exceptions.filter((row) => !used.has(row) && !isAbsent(row.call));
    expect(unused).toEqual([]);
    expect(changesBeforeEfault.filter((row) => !used.has(row))).toEqual([]);
  });
});
