/** Runs two engines instruction by instruction on the same program and finds the first difference. */
import { STOP_TRAP, VECTOR_DB, type Engine } from "./engine.ts";
import { REGISTER_NAMES, RFLAGS, RIP } from "./registers.ts";

const TF = 0x100n;
/** CF, PF, ZF, SF, DF, OF. AF is left out: too many instructions leave it undefined. */
export const COMPARED_FLAGS = 0xcc5n;
const FXSAVE_ST = 32;
const FXSAVE_END = 416;

export interface Difference {
  /** RIP of the instruction that made it. */
  readonly rip: bigint;
  readonly what: string;
  readonly first: string;
  readonly second: string;
}

export interface LockstepOptions {
  readonly steps: number;
  /** Flags to be compared behind the instruction at an address: leave out those it leaves undefined. */
  readonly flagsAt?: (rip: bigint) => bigint;
}

/**
 * Steps both engines until they differ, stop for another reason than the step, or have made `steps` steps. Both have the
 * same memory contents, registers and address space, set up by the caller. The second engine gets the first one's flags
 * behind each step, so that undefined ones do not spread.
 */
export function firstDifference(first: Engine, second: Engine, options: LockstepOptions): Difference | undefined {
  const [a, b] = [first.cpu, second.cpu];
  for (let step = 0; step < options.steps; step++) {
    const rip = a.u64[RIP]!;
    a.u64[RFLAGS]! |= TF;
    b.u64[RFLAGS]! |= TF;
    const stops = [first, second].map((engine) => {
      const kind = engine.run(2);
      const { vector, errorCode } = engine.stop;
      return {
        stepped: kind === STOP_TRAP && vector === VECTOR_DB,
        text: `${kind} ${kind === 0 ? "" : vector} ${kind === 1 ? errorCode : 0}`,
      };
    });
    const differ = (what: string, x: string, y: string): Difference => ({ rip, what, first: x, second: y });
    if (stops[0]!.text !== stops[1]!.text) return differ("stop", stops[0]!.text, stops[1]!.text);
    const flags = options.flagsAt?.(rip) ?? COMPARED_FLAGS;
    for (let i = 0; i < 20; i++) {
      const mask = i === RFLAGS ? flags : 0xffffffffffffffffn;
      const [x, y] = [a.u64[i]! & mask, b.u64[i]! & mask];
      if (x !== y) return differ(REGISTER_NAMES[i]!, x.toString(16), y.toString(16));
    }
    first.storeFpu();
    second.storeFpu();
    for (let i = FXSAVE_ST; i < FXSAVE_END; i += 16) {
      const [x, y] = [a, b].map((cpu) => Buffer.from(cpu.fxsave.subarray(i, i + 16)).toString("hex"));
      if (x !== y) return differ(i < 160 ? `st${(i - 32) / 16}` : `xmm${(i - 160) / 16}`, x!, y!);
    }
    if (!stops[0]!.stepped) return undefined;
    b.u64[RFLAGS] = a.u64[RFLAGS]!;
  }
  return undefined;
}
