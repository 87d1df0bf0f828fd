/** Which lowerings each processor model has. */
import type { Instruction } from "../decode.ts";
import { loadDecoder } from "../decode.ts";
import type { CpuModel } from "../runtime/cpu-model.ts";
import { avxFromLegacy } from "./avx-legacy.ts";
import { AVX_F16C } from "./avx-f16c.ts";
import { AVX_FMA } from "./avx-fma.ts";
import { AVX_MEMORY } from "./avx-memory.ts";
import { avxMoves } from "./avx-moves.ts";
import { avxOperations } from "./avx-operations.ts";
import { AVX_STATE } from "./avx-state.ts";
import { BMI, BMI_VEX } from "./bmi.ts";
import { CRYPTO } from "./crypto.ts";
import { LOWERINGS } from "./index.ts";
import type { Lowering } from "./lowering.ts";

/** Level 3 in the legacy encodings; TZCNT and LZCNT are BSF and BSR before. */
const LEGACY_V3: ReadonlyMap<string, Lowering> = new Map([...LOWERINGS, ...BMI, ...CRYPTO, ...AVX_STATE]);

const VEX: ReadonlyMap<string, Lowering> = new Map([
  ...avxFromLegacy(LEGACY_V3),
  ...avxMoves(LEGACY_V3),
  ...avxOperations(LEGACY_V3),
  ...AVX_MEMORY,
  ...AVX_FMA,
  ...AVX_F16C,
  ...BMI_VEX,
]);

const IS_VEX = /^VEX_/;
const OTHER_ENCODING = /^(EVEX|XOP|MVEX|D3NOW)_/;
/** VAES and VPCLMULQDQ, which no psABI level has. */
const BEYOND_V3 = /^VEX_(Vaes\w+|Vpclmulqdq)_ymm/;

/** The lowering of an instruction on a model; undefined: it is #UD there, or unknown to us. */
export function loweringOf(
  { mnemonic, form }: Pick<Instruction, "mnemonic" | "form">,
  model: CpuModel,
): Lowering | undefined {
  if (OTHER_ENCODING.test(form) || BEYOND_V3.test(form)) return undefined;
  if (IS_VEX.test(form)) return model === "x86-64-v3" ? VEX.get(mnemonic) : undefined;
  return (model === "x86-64-v3" ? LEGACY_V3 : LOWERINGS).get(mnemonic);
}

/** Whether the engine executes iced's Code of this name, such as VEX_Vaddps_ymm_ymm_ymmm256, on a model. */
export function supportsForm(form: string, model: CpuModel): boolean {
  const { Code, CodeExt, Mnemonic } = loadDecoder();
  const code = Code[form as keyof typeof Code];
  if (code === undefined) return false;
  const information = CodeExt.opCode(code);
  const mnemonic = Mnemonic[information.mnemonic]!.toLowerCase();
  const inLongMode = information.mode64;
  information.free();
  return inLongMode && loweringOf({ mnemonic, form }, model) !== undefined;
}

/** All forms that the engine executes on a model, by iced's names in the order of their numbers. */
export function supportedForms(model: CpuModel): string[] {
  const { Code } = loadDecoder();
  return Object.keys(Code).filter((name) => Number.isNaN(Number(name)) && supportsForm(name, model));
}
