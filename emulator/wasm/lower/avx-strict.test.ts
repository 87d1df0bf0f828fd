/** VEX floating point in strict mode: roundings, zeros for denormals and exceptions by MXCSR, as on the host's processor. */
import { afterAll, describe, expect, test, vi } from "vitest";
import type * as ContextModule from "../context.ts";
import { supportedForms } from "./models.ts";
import { differences, EXCEPTION_FLAGS, STRICT_MXCSRS } from "./testing/compare-forms.ts";
import { EngineSide } from "./testing/engine-side.ts";
import { hasNativeJudge } from "./testing/native.ts";

vi.mock("../context.ts", async (original) => {
  const module = await original<typeof ContextModule>();
  abstract class StrictContext extends module.Context {
    override readonly strictFloat = true;
  }
  return { ...module, Context: StrictContext };
});

/** Instructions with floating-point results or comparisons; the names of the others end in other letters. */
const FLOATING =
  /^VEX_V((add|sub|mul|div|min|max|sqrt|cmp|round|hadd|hsub|addsub|dp)[ps][sd]|u?comis[sd]|cvt(?!.*ph)|f)/;

const forms = supportedForms("x86-64-v3").filter((form) => FLOATING.test(form));

describe.skipIf(!hasNativeJudge())("strict floating point", () => {
  const side = new EngineSide();
  afterAll(() => side.dispose());

  test.each([...new Set(forms.map((form) => form.slice(4, 8)))])(
    "forms that begin with %s",
    (initial) => {
      const chosen = forms.filter((form) => form.slice(4, 8) === initial);
      expect(differences(side, chosen, STRICT_MXCSRS, EXCEPTION_FLAGS)).toEqual([]);
    },
    120_000,
  );
});
