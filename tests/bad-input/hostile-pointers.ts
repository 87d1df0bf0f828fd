/** Every pointer argument of every call there is, with every kind of address that nobody should believe. */
import { isPointer, type AnyPointerArg, type Syscall } from "../../abi/syscalls.ts";
import { errnoByNumber } from "../../abi/errno.ts";
import { PAGE_SIZE } from "../../kernel/mm/layout.ts";
import { copyToUser, readBytes } from "../../kernel/mm/user-copy.ts";
import type { Argument, ParkedTask } from "../support/parked-task.ts";
import { describeState, difference } from "./kernel-state.ts";
import {
  FORBIDDEN,
  GUARD,
  MORE_VARIANTS,
  objectBytes,
  plausibleArguments,
  prepareTask,
  READ_ONLY,
  slotOf,
  SLOT_BYTES,
  UNMAPPED,
  type Variant,
} from "./plausible-arguments.ts";

/** The variants of a call that have pointers. */
export function variantsOf(row: Syscall): Variant[] {
  const selecting = row.args.find((arg) => arg.kind === "variant");
  if (selecting?.kind !== "variant") {
    if (!row.args.some(isPointer)) return [];
    const more = MORE_VARIANTS.filter(([call]) => call === row.name).map(([, name]) => name);
    return [row.name, ...more].map((name) => ({ row, args: row.args, chosen: new Map(), name }));
  }
  const commands = new Set<number>();
  for (const arg of row.args) {
    if (arg.kind !== "variant") continue;
    for (const [command, kind] of arg.cases) if (isPointer(kind)) commands.add(command);
  }
  return [...commands].map((command) => {
    const args = row.args.map((arg) => {
      if (arg.kind !== "variant") return arg;
      return { ...(arg.cases.get(command) ?? arg.otherwise), name: arg.name };
    });
    return { row, args, chosen: new Map([[selecting.on, command]]), name: `${row.name}:0x${command.toString(16)}` };
  });
}

export interface Finding {
  /** call, argument and kind of address. */
  readonly what: string;
  readonly call: string;
  readonly argument: string;
  readonly hostile: string;
  readonly optional: boolean;
  readonly result: string;
  /** What is not as it was. */
  readonly changes: readonly string[];
}

/** Name and address. */
export const ADDRESSES: readonly (readonly [string, bigint])[] = [
  ["NULL", 0n],
  ["one", 1n],
  ["kernel", 0xffffffff81000000n],
  ["non-canonical", 0x0000800000000000n],
  ["last", 0xffffffffffffffffn],
  ["unmapped", BigInt(UNMAPPED)],
  ["PROT_NONE", BigInt(FORBIDDEN)],
];

/** The addresses for one argument. The object may have to be put there first. */
function addressesFor(arg: AnyPointerArg, index: number, size: number): [string, bigint][] {
  const addresses = ADDRESSES.map(([name, address]): [string, bigint] => [name, address]);
  if (arg.direction !== "in" && arg.kind !== "iovec") addresses.push(["read-only", BigInt(READ_ONLY)]);
  if (size >= 2) addresses.push(["crossing", BigInt(slotOf(index) + SLOT_BYTES - Math.ceil(size / 2))]);
  return addresses;
}

/** Calls one variant with each hostile address in each of its pointers. */
export function tryVariant(variant: Variant): Finding[] {
  const findings: Finding[] = [];
  let prepared = prepareTask();
  variant.args.forEach((arg, index) => {
    if (!isPointer(arg)) return;
    const { sizes } = plausibleArguments(prepared.parked, variant, prepared.descriptors);
    for (const [hostile, address] of addressesFor(arg, index, sizes[index]!)) {
      const { parked, descriptors } = prepared;
      const { args } = plausibleArguments(parked, variant, descriptors);
      if (hostile === "crossing") putCrossing(parked, variant, index, sizes[index]!);
      const words: Argument[] = [...args];
      words[index] = address;
      const before = describeState(parked.task);
      const result = parked.call(variant.row.name, ...words);
      const changes = parked.ended ? ["the process ended"] : difference(before, describeState(parked.task));
      if (!parked.ended) changes.push(...brokenGuards(parked, sizes, index));
      findings.push({
        what: `${variant.name} ${arg.name} ${hostile}`,
        call: variant.name,
        argument: arg.name,
        hostile,
        optional: arg.optional === true,
        result: resultName(result),
        changes,
      });
      if (changes.length > 0) prepared = prepareTask();
    }
  });
  return findings;
}

const resultName = (result: number | "blocked"): string => {
  if (typeof result === "string") return result;
  return result < 0 && result > -4096 ? (errnoByNumber.get(-result)?.name ?? String(result)) : "done";
};

/** The first half of the object at the end of the slot, behind which nothing is. */
function putCrossing(parked: ParkedTask, { row, args }: Variant, index: number, size: number): void {
  const arg = args[index] as AnyPointerArg;
  const half = Math.ceil(size / 2);
  // Text must not end before it.
  const isText = arg.extent.by === "nul";
  const bytes = isText ? new Uint8Array(half).fill(0x61) : objectBytes(row.name, arg, index, args).subarray(0, half);
  copyToUser(parked.task.memory, slotOf(index) + SLOT_BYTES - half, bytes);
}

/** Bytes around the objects of the other arguments that a call had no business to write. */
function brokenGuards(parked: ParkedTask, sizes: readonly (number | undefined)[], hostile: number): string[] {
  const broken: string[] = [];
  sizes.forEach((size, index) => {
    if (size === undefined || index === hostile) return;
    const slot = readBytes(parked.task.memory, slotOf(index), SLOT_BYTES);
    const before = slot.subarray(0, 0x400);
    const after = slot.subarray(0x400 + Math.max(256, size), PAGE_SIZE);
    if ([before, after].some((part) => part.some((byte) => byte !== GUARD)))
      broken.push(`memory around argument ${index}`);
  });
  return broken;
}
