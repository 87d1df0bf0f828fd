/** Calls with arguments drawn by lot: whatever they answer, it is an answer, and what they took is given back at the end. */
import { describe, expect, it } from "vitest";
import { isPointer, type Arg, type Syscall } from "../../abi/syscalls.ts";
import { errnoByNumber } from "../../abi/errno.ts";
import { copyToUser } from "../../kernel/mm/user-copy.ts";
import { syscallTable } from "../../kernel/syscalls/table.ts";
import { killGroupNow } from "../../kernel/task/exit.ts";
import { Random } from "../support/random.ts";
import type { ParkedTask } from "../support/parked-task.ts";
import {
  FORBIDDEN,
  objectBytes,
  objectOf,
  prepareTask,
  READ_ONLY,
  slotOf,
  SLOT_BYTES,
  UNMAPPED,
} from "./plausible-arguments.ts";

const rows = syscallTable
  .map(({ handler }) => handler.row)
  .filter(({ name }) => name !== "exit" && name !== "exit_group");

const SMALL = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 16n, 24n, 64n, 128n, 512n, 4096n, 8192n, 0x100000n];
const LARGE = [
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x7ffffffff000n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffff9cn,
  0xfffffffffffff000n,
  0xffffffffffffffffn,
];
const HOSTILE = [0n, 1n, 0xffffffff81000000n, 0x800000000000n, BigInt(READ_ONLY), BigInt(FORBIDDEN), BigInt(UNMAPPED)];

function scalar(arg: Arg, random: Random): bigint {
  if (arg.kind === "enumeration" && !random.chance(4))
    return BigInt(random.pick(Object.values<number>(arg.set.values)));
  if (arg.kind === "flags" && !random.chance(4)) {
    const bits = Object.values<number>(arg.set.flags);
    let value = 0n;
    for (let count = random.below(4); count > 0; count--) value |= BigInt(random.pick(bits)) & 0xffffffffn;
    return value;
  }
  if (arg.kind === "address" && random.chance(2)) return BigInt(slotOf(random.below(8)));
  return random.chance(5) ? random.pick(LARGE) : random.pick(SMALL);
}

/** A good object, noise, or an address that is no good; the object is put into the slot. */
function pointer(parked: ParkedTask, row: Syscall, arg: Arg, index: number, random: Random): bigint {
  if (random.chance(6)) return random.pick(HOSTILE);
  const at = random.chance(4) ? slotOf(index) + SLOT_BYTES - random.below(64) : objectOf(index);
  const object = isPointer(arg) ? objectBytes(row.name, arg, index, row.args) : new Uint8Array(128);
  const room = Math.min(object.length, slotOf(index) + SLOT_BYTES - at);
  if (random.chance(2)) {
    for (let count = random.below(12); count > 0; count--) {
      object[random.below(object.length)] = random.pick([0, 1, 2, 8, 0x7f, 0x80, 0xff, random.below(256)]);
    }
  }
  try {
    copyToUser(parked.task.memory, at, object.subarray(0, room));
  } catch {
    // A call has unmapped or protected the slot.
  }
  return BigInt(at);
}

const isAnswer = (result: number | "blocked"): boolean =>
  result === "blocked" || result >= 0 || errnoByNumber.has(-result) || result <= -1000000;

describe("random calls", () => {
  it.each([1, 2, 3, 4])("are all answered (seed %i)", (seed) => {
    const random = new Random(seed);
    let { parked } = prepareTask();
    const history: string[] = [];
    for (let count = 0; count < 12000; count++) {
      if (count % 400 === 0 || parked.ended) {
        ({ parked } = prepareTask());
        history.length = 0;
      }
      const row = random.pick(rows);
      const args = row.args.map((arg, index) => {
        const isAddress = isPointer(arg) || (arg.kind === "variant" && random.chance(2));
        return isAddress ? pointer(parked, row, arg, index, random) : scalar(arg, random);
      });
      history.push(`${row.name}(${args.map((arg) => `0x${arg.toString(16)}`).join(", ")})`);
      let result: number | "blocked";
      try {
        result = parked.call(row.name, ...args);
      } catch (cause) {
        throw new Error(`after\n${history.slice(-10).join("\n")}`, { cause });
      }
      expect(isAnswer(result), `${history.at(-1)} = ${result}`).toBe(true);
      if (count % 50 === 0 && !parked.ended) parked.buryChildren();
    }
  });

  it("leave nothing behind when the process ends", () => {
    const random = new Random(5);
    for (let round = 0; round < 30; round++) {
      const { parked } = prepareTask();
      const { kernel } = parked;
      for (let count = 0; count < 100 && !parked.ended; count++) {
        const row = random.pick(rows);
        const args = row.args.map((arg, index) =>
          isPointer(arg) ? pointer(parked, row, arg, index, random) : scalar(arg, random),
        );
        parked.call(row.name, ...args);
      }
      if (!parked.ended) parked.buryChildren();
      killGroupNow(parked.task.group, 9);
      expect(kernel.futexes.size).toBe(0);
      expect(parked.task.queues).toEqual([]);
      expect(parked.task.mm).toBeNull();
    }
  });
});
