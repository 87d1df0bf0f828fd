/** Every form that x86-64-v3 adds, against the host's processor: fixed seed, a few states each. */
import { afterAll, describe, expect, test } from "vitest";
import { supportedForms } from "./models.ts";
import { encode, generator, randomState, type Below, type Encoded, type State } from "./testing/cases.ts";
import { difference, EngineSide } from "./testing/engine-side.ts";
import { hasNativeJudge, runNatively } from "./testing/native.ts";

const SEED = 20261123;
const STATES = 6;
const EXCEPTION_FLAGS = 0x3f;
const DEFAULT_MXCSR = 0x1f80;
/** Directed roundings, flush to zero, denormals are zero: exceptions are minded then (fpu-state.ts). */
const STRICT_MXCSRS = [0x3f80, 0x5f80, 0x7f80, 0x9f80, 0x1fc0, 0xffc0];

/** Not compared here, each with its reason. */
const EXCLUDED: readonly (readonly [RegExp, string])[] = [
  [/Vr(sqrt|cp)[ps]s/, "approximations differ between processors"],
  [/Vldmxcsr/, "random bits are mostly reserved ones"],
  [/^X(getbv|save|rstor)/, "system state: avx-state.test.ts"],
];

/** Instructions whose roundings and exceptions are made here and not by the SSE lowerings. */
const OWN_ROUNDING = /^VEX_(Vf|Vcvtph2ps|Vcvtps2ph)/;

const inV2 = new Set(supportedForms("x86-64-v2"));
const forms = supportedForms("x86-64-v3").filter(
  (form) => (!inV2.has(form) || /^[TL]zcnt/.test(form)) && !EXCLUDED.some(([pattern]) => pattern.test(form)),
);

interface Case {
  readonly encoded: Encoded;
  readonly state: State;
}

function makeCases(form: string, below: Below, mxcsrs: readonly number[]): Case[] {
  const encoded = encode(form, below);
  return Array.from({ length: STATES }, (_, i) => {
    const state = randomState(below, encoded);
    state.mxcsr = mxcsrs[i % mxcsrs.length]!;
    return { encoded, state };
  });
}

describe.skipIf(!hasNativeJudge())("x86-64-v3 instructions do what the host's processor does", () => {
  const side = new EngineSide();
  afterAll(() => side.dispose());

  /** What differs, interpreted and compiled. */
  function differences(chosen: readonly string[], mxcsrs: readonly number[], mxcsrMask: number): string[] {
    const below = generator(SEED);
    const cases = chosen.flatMap((form) => makeCases(form, below, mxcsrs));
    const results = runNatively(cases.map(({ encoded, state }) => ({ code: encoded.bytes, state })));
    const found: string[] = [];
    for (let first = 0; first < cases.length; first += STATES) {
      const { encoded } = cases[first]!;
      const address = side.place(encoded.bytes);
      for (const tier of ["interpreted", "compiled"]) {
        if (tier === "compiled") side.compile(address);
        for (let i = first; i < first + STATES; i++) {
          const real = results[i]!;
          const ours = side.run(address, cases[i]!.state);
          if (real.signal !== 0) found.push(`${encoded.text}: signal ${real.signal}`);
          const differs = ours
            ? difference(real.state, ours, encoded.undefinedFlags, mxcsrMask)
            : "stopped before the end";
          if (differs !== undefined) found.push(`${encoded.text}, ${tier}: ${differs}`);
        }
      }
    }
    return found;
  }

  const initials = [...new Set(forms.map(initialOf))];

  test.each(initials)(
    "forms that begin with %s",
    (initial) => {
      const chosen = forms.filter((form) => initialOf(form) === initial);
      expect(differences(chosen, [DEFAULT_MXCSR], 0)).toEqual([]);
    },
    120_000,
  );

  test("FMA and F16C round by MXCSR and raise its exceptions", { timeout: 120_000 }, () => {
    const chosen = forms.filter((form) => OWN_ROUNDING.test(form));
    expect(differences(chosen, STRICT_MXCSRS, EXCEPTION_FLAGS)).toEqual([]);
  });
});

/** Letters of the mnemonic to tell groups of forms by. */
function initialOf(form: string): string {
  return form.replace(/^VEX_/, "").slice(0, 3).toLowerCase();
}

test("the form list has every VEX instruction of AVX, AVX2, FMA, F16C, BMI1 and BMI2", () => {
  expect(forms.length).toBeGreaterThan(690);
  for (const form of ["VEX_Vaddps_ymm_ymm_ymmm256", "VEX_Vpgatherqd_xmm_vm64y_xmm", "VEX_Mulx_r64_r64_rm64"]) {
    expect(forms).toContain(form);
  }
  expect(forms.filter((form) => /^(EVEX|XOP|MVEX)|_zmm|Vaesenc_ymm/.test(form))).toEqual([]);
});
