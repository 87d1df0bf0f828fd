import { describe, expect, it } from "vitest";
import { Assembler } from "../emit/assembler.ts";
import type { Producer } from "../flags.ts";
import { Exits, type Exit } from "./exits.ts";

type Operation = "end" | { out: number } | "fault" | { flags: Producer } | { registers: number };

/** Notes what is written instead of writing it. */
class Notes extends Assembler {
  readonly operations: Operation[] = [];

  override endAround(): this {
    this.operations.push("end");
    return this;
  }

  override brOut(blocks: number): this {
    this.operations.push({ out: blocks });
    return this;
  }
}

/** What is stored from the end of a block on. */
function follow(
  operations: readonly Operation[],
  place: number,
): { faults: boolean; flags?: Producer; stored: number } {
  const ends = operations.flatMap((operation, i) => (operation === "end" ? [i] : []));
  const found: { faults: boolean; flags?: Producer; stored: number } = { faults: false, stored: 0 };
  let block = place;
  for (let at = ends[block]! + 1; at < operations.length;) {
    const operation = operations[at++]!;
    if (operation === "end") block++;
    else if (operation === "fault") found.faults = true;
    else if ("flags" in operation) found.flags = operation.flags;
    else if ("registers" in operation) {
      expect(found.stored & operation.registers, "stored once").toBe(0);
      found.stored |= operation.registers;
    } else {
      block += operation.out + 1;
      at = ends[block]! + 1;
    }
  }
  return found;
}

describe("the ways out of a region", () => {
  it("store what each of them has changed, whatever they share", () => {
    let seed = 1;
    const random = (): number => (seed = Math.imul(seed, 1103515245) + 12345) >>> 8;
    for (let round = 0; round < 300; round++) {
      const exits = new Exits();
      const all = Array.from({ length: 1 + (random() % 12) }, (): Exit => {
        const producer = random() % 2 === 0 ? undefined : { kind: 1 + (random() % 3), size: 8 };
        return { point: { dirty: (random() << 8) & (random() << 4) }, producer, faults: random() % 2 === 0 };
      });
      for (const exit of all) exits.add(exit);
      exits.arrange();
      const notes = new Notes(0);
      exits.write(notes, {
        fault: () => notes.operations.push("fault"),
        flags: (flags) => notes.operations.push({ flags }),
        registers: (registers) => notes.operations.push({ registers }),
      });
      for (const exit of all) {
        const { faults, producer, point } = exit;
        const expected = { faults, stored: point.dirty, ...(producer && { flags: producer }) };
        expect(follow(notes.operations, exits.place(exit))).toEqual(expected);
      }
    }
  });
});
