/** Runs two engines instruction by instruction on the same program and finds the first difference. */
import { STOP_TRAP, VECTOR_DB, type Engine } from "./engine.ts";
import { compareFpu, compareRegisters, COMPARED_FLAGS, describeStop, type Unequal } from "./lockstep/compare.ts";
import { RFLAGS, RIP } from "./registers.ts";

export { COMPARED_FLAGS };

const TF = 0x100n;

export interface Difference extends Unequal {
  /** RIP of the instruction that made it. */
  readonly rip: bigint;
}

export interface LockstepOptions {
  readonly steps: number;
  /** Flags to be compared behind the instruction at an address: leave out those it leaves undefined. */
  readonly flagsAt?: (rip: bigint) => bigint;
}

/**
 * Steps both engines until they differ, stop for another reason than the step, or have made `steps` steps. Both have the
 * same memory contents, registers and address space, set up by the caller. The second engine gets the first one's flags
 * behind each step, so that undefined ones do not spread. For whole programs see lockstep/lockstep-engine.ts.
 */
export function firstDifference(first: Engine, second: Engine, options: LockstepOptions): Difference | undefined {
  const [a, b] = [first.cpu, second.cpu];
  for (let step = 0; step < options.steps; step++) {
    const rip = a.u64[RIP]!;
    const stops = [first, second].map((engine) => {
      engine.cpu.u64[RFLAGS]! |= TF;
      const kind = engine.run(2);
      return { stepped: kind === STOP_TRAP && engine.stop.vector === VECTOR_DB, text: describeStop(engine.stop) };
    });
    if (stops[0]!.text !== stops[1]!.text) {
      return { rip, what: "stop", first: stops[0]!.text, second: stops[1]!.text };
    }
    const found: Unequal[] = [];
    compareRegisters(a, b, options.flagsAt?.(rip) ?? COMPARED_FLAGS, found);
    first.storeFpu();
    second.storeFpu();
    compareFpu(a.fxsave, b.fxsave, found);
    if (found.length > 0) return { rip, ...found[0]! };
    if (!stops[0]!.stepped) return undefined;
    b.u64[RFLAGS] = a.u64[RFLAGS]!;
  }
  return undefined;
}
