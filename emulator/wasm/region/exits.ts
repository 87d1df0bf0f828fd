/**
 * The ways out of a region. Each stores what is newer than the register file there: the flags by who made them, then
 * registers. They share code: exits with the same flags lead to one piece of it, and registers are stored by a chain in
 * which every link stores what its set has more than the next one's.
 *
 * All this stands behind the region's code, which lies in as many blocks as there are pieces, from the innermost out.
 */
import type { Assembler } from "../emit/assembler.ts";
import type { Producer } from "../flags.ts";
import { operationNumber } from "../flags.ts";
import type { ExitPoint } from "./register-flow.ts";

export interface Exit {
  readonly point: ExitPoint;
  /** Who made the flags; undefined: they are in memory. */
  readonly producer: Producer | undefined;
  /** Ends with STATUS_FAULT; else the status is in its local. */
  readonly faults: boolean;
}

/** What is stored on the way out. */
export interface ExitCode {
  /** Sets the status of a fault. */
  fault(): void;
  flags(producer: Producer): void;
  registers(registers: number): void;
}

/** A piece of code in front of the registers' chain. */
interface Piece {
  readonly producer: Producer | undefined;
  readonly faults: boolean;
  readonly registers: number;
}

export class Exits {
  private readonly exits: Exit[] = [];
  private readonly places = new Map<Exit, number>();
  private pieces: Piece[] = [];
  private sets: number[] = [];

  add(exit: Exit): void {
    this.exits.push(exit);
  }

  /** Lays the pieces out, when all exits know what is dirty. */
  arrange(): void {
    const sets = new Set([0, ...this.exits.map(({ point }) => point.dirty)]);
    this.sets = [...sets].sort((a, b) => bitCount(b) - bitCount(a));
    const pieces = new Map<string, { piece: Piece; exits: Exit[] }>();
    for (const exit of this.exits) {
      const { producer, faults, point } = exit;
      if (!producer && !faults) continue;
      const key = `${producer && operationNumber(producer)} ${faults} ${point.dirty}`;
      const known = pieces.get(key);
      if (known) known.exits.push(exit);
      else pieces.set(key, { piece: { producer, faults, registers: point.dirty }, exits: [exit] });
    }
    this.pieces = [...pieces.values()].map(({ piece }) => piece);
    [...pieces.values()].forEach(({ exits }, i) => {
      for (const exit of exits) this.places.set(exit, i);
    });
    for (const exit of this.exits) {
      if (!this.places.has(exit)) this.places.set(exit, this.pieces.length + this.sets.indexOf(exit.point.dirty));
    }
  }

  /** How many blocks lie around the region's code. */
  get depth(): number {
    return this.pieces.length + this.sets.length;
  }

  /** The block, counted from the innermost, at whose end an exit goes on. */
  place(exit: Exit): number {
    return this.places.get(exit)!;
  }

  /** Writes the pieces, each behind the end of its block; control comes out at the end. */
  write(e: Assembler, code: ExitCode): void {
    const { pieces, sets } = this;
    pieces.forEach(({ producer, faults, registers }, i) => {
      e.endAround();
      if (faults) code.fault();
      if (producer) code.flags(producer);
      e.brOut(pieces.length + sets.indexOf(registers) - i - 1);
    });
    sets.forEach((registers, i) => {
      e.endAround();
      if (registers === 0) return;
      const next = sets.findIndex((other, j) => j > i && (other & ~registers) === 0);
      code.registers(registers & ~sets[next]!);
      if (next > i + 1) e.brOut(next - i - 1);
    });
  }
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
