/** Every form that x86-64-v3 adds, against the host's processor: fixed seed, a few states each. */
import { afterAll, describe, expect, test } from "vitest";
import { supportedForms } from "./models.ts";
import { DEFAULT_MXCSR, differences, EXCEPTION_FLAGS, STRICT_MXCSRS } from "./testing/compare-forms.ts";
import { EngineSide } from "./testing/engine-side.ts";
import { hasNativeJudge } from "./testing/native.ts";

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

describe.skipIf(!hasNativeJudge())("x86-64-v3 instructions do what the host's processor does", () => {
  const side = new EngineSide();
  afterAll(() => side.dispose());

  const initials = [...new Set(forms.map(initialOf))];

  test.each(initials)(
    "forms that begin with %s",
    (initial) => {
      const chosen = forms.filter((form) => initialOf(form) === initial);
      expect(differences(side, chosen, [DEFAULT_MXCSR], 0)).toEqual([]);
    },
    120_000,
  );

  test("FMA and F16C round by MXCSR and raise its exceptions", { timeout: 120_000 }, () => {
    const chosen = forms.filter((form) => OWN_ROUNDING.test(form));
    expect(differences(side, chosen, STRICT_MXCSRS, EXCEPTION_FLAGS)).toEqual([]);
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
