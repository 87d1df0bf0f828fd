/** Compares forms of instructions on the engine, interpreted and compiled, with the host's processor. */
import { encode, generator, randomState, type Encoded, type State } from "./cases.ts";
import { difference, type EngineSide } from "./engine-side.ts";
import { runNatively } from "./native.ts";

const SEED = 20261123;
const STATES = 6;
export const EXCEPTION_FLAGS = 0x3f;
export const DEFAULT_MXCSR = 0x1f80;
/** Directed roundings, flush to zero, denormals are zero: exceptions are minded then (fpu-state.ts). */
export const STRICT_MXCSRS: readonly number[] = [0x3f80, 0x5f80, 0x7f80, 0x9f80, 0x1fc0, 0xffc0];

/** An instruction and the states it is executed in. */
export interface InstructionCase {
  readonly encoded: Encoded;
  readonly states: readonly State[];
}

/** What differs, in words; nothing, if the engine is right. @param mxcsrMask bits of MXCSR that count */
export function differences(
  side: EngineSide,
  forms: readonly string[],
  mxcsrs: readonly number[],
  mxcsrMask: number,
): string[] {
  const below = generator(SEED);
  const cases = forms.map((form): InstructionCase => {
    const encoded = encode(form, below);
    const states = Array.from({ length: STATES }, (_, i) => {
      const state = randomState(below, encoded);
      state.mxcsr = mxcsrs[i % mxcsrs.length]!;
      return state;
    });
    return { encoded, states };
  });
  return differencesOf(side, cases, mxcsrMask);
}

/** The same for given instructions and states. */
export function differencesOf(side: EngineSide, cases: readonly InstructionCase[], mxcsrMask: number): string[] {
  const results = runNatively(
    cases.flatMap(({ encoded, states }) => states.map((state) => ({ code: encoded.bytes, state }))),
  );
  const found: string[] = [];
  let first = 0;
  for (const { encoded, states } of cases) {
    const address = side.place(encoded.bytes);
    for (const tier of ["interpreted", "compiled"]) {
      if (tier === "compiled") side.compile(address);
      states.forEach((state, i) => {
        const real = results[first + i]!;
        const ours = side.run(address, state);
        if (real.signal !== 0) found.push(`${encoded.text}: signal ${real.signal}`);
        const differs = ours
          ? difference(real.state, ours, encoded.undefinedFlags, mxcsrMask)
          : "stopped before the end";
        if (differs !== undefined) found.push(`${encoded.text}, ${tier}: ${differs}`);
      });
    }
    first += states.length;
  }
  return found;
}
