/**
 * Opcode numbers of WebAssembly 1.0 with sign extension, saturating truncation, bulk memory and SIMD.
 * 0x00-0xff: one byte; 0xfc00 + n and 0xfd00 + n: n behind that prefix, and 0xfd000 + n where n is above 255.
 */

const numbered = <T extends string>(first: number, names: string): Record<T, number> => {
  const table: Record<string, number> = {};
  names
    .trim()
    .split(/\s+/)
    .forEach((name, i) => {
      if (name !== "-") table[name] = first + i;
    });
  return table as Record<T, number>;
};

type Width = "i32" | "i64";
type Float = "f32" | "f64";
type Signed = "_s" | "_u";

type MemoryOps =
  | `${Width | Float}_load`
  | `${Width | Float}_store`
  | `${Width}_load${8 | 16}${Signed}`
  | `i64_load32${Signed}`
  | `${Width}_store${8 | 16}`
  | "i64_store32";

export const Memory = numbered<MemoryOps>(
  0x28,
  `i32_load i64_load f32_load f64_load i32_load8_s i32_load8_u i32_load16_s i32_load16_u
   i64_load8_s i64_load8_u i64_load16_s i64_load16_u i64_load32_s i64_load32_u
   i32_store i64_store f32_store f64_store i32_store8 i32_store16 i64_store8 i64_store16 i64_store32`,
);

type IntegerOps =
  | `${Width}_${"eqz" | "eq" | "ne" | "clz" | "ctz" | "popcnt" | "add" | "sub" | "mul" | "and" | "or" | "xor" | "shl"}`
  | `${Width}_${"rotl" | "rotr"}`
  | `${Width}_${"lt" | "gt" | "le" | "ge" | "div" | "rem" | "shr"}${Signed}`
  | `${Width}_extend${8 | 16}_s`
  | "i64_extend32_s"
  | "i32_wrap_i64"
  | `i64_extend_i32${Signed}`;

type FloatOps =
  | `${Float}_${"eq" | "ne" | "lt" | "gt" | "le" | "ge"}`
  | `${Float}_${"abs" | "neg" | "ceil" | "floor" | "trunc" | "nearest" | "sqrt"}`
  | `${Float}_${"add" | "sub" | "mul" | "div" | "min" | "max" | "copysign"}`
  | `${Width}_trunc_${Float}${Signed}`
  | `${Float}_convert_${Width}${Signed}`
  | "f32_demote_f64"
  | "f64_promote_f32"
  | "i32_reinterpret_f32"
  | "i64_reinterpret_f64"
  | "f32_reinterpret_i32"
  | "f64_reinterpret_i64";

export const W = numbered<IntegerOps | FloatOps>(
  0x45,
  `i32_eqz i32_eq i32_ne i32_lt_s i32_lt_u i32_gt_s i32_gt_u i32_le_s i32_le_u i32_ge_s i32_ge_u
   i64_eqz i64_eq i64_ne i64_lt_s i64_lt_u i64_gt_s i64_gt_u i64_le_s i64_le_u i64_ge_s i64_ge_u
   f32_eq f32_ne f32_lt f32_gt f32_le f32_ge f64_eq f64_ne f64_lt f64_gt f64_le f64_ge
   i32_clz i32_ctz i32_popcnt i32_add i32_sub i32_mul i32_div_s i32_div_u i32_rem_s i32_rem_u
   i32_and i32_or i32_xor i32_shl i32_shr_s i32_shr_u i32_rotl i32_rotr
   i64_clz i64_ctz i64_popcnt i64_add i64_sub i64_mul i64_div_s i64_div_u i64_rem_s i64_rem_u
   i64_and i64_or i64_xor i64_shl i64_shr_s i64_shr_u i64_rotl i64_rotr
   f32_abs f32_neg f32_ceil f32_floor f32_trunc f32_nearest f32_sqrt f32_add f32_sub f32_mul f32_div f32_min f32_max
   f32_copysign
   f64_abs f64_neg f64_ceil f64_floor f64_trunc f64_nearest f64_sqrt f64_add f64_sub f64_mul f64_div f64_min f64_max
   f64_copysign
   i32_wrap_i64 i32_trunc_f32_s i32_trunc_f32_u i32_trunc_f64_s i32_trunc_f64_u i64_extend_i32_s i64_extend_i32_u
   i64_trunc_f32_s i64_trunc_f32_u i64_trunc_f64_s i64_trunc_f64_u
   f32_convert_i32_s f32_convert_i32_u f32_convert_i64_s f32_convert_i64_u f32_demote_f64
   f64_convert_i32_s f64_convert_i32_u f64_convert_i64_s f64_convert_i64_u f64_promote_f32
   i32_reinterpret_f32 i64_reinterpret_f64 f32_reinterpret_i32 f64_reinterpret_i64
   i32_extend8_s i32_extend16_s i64_extend8_s i64_extend16_s i64_extend32_s`,
);

/** Saturating truncations, in the order of their numbers. */
export const Sat = numbered<`${Width}_trunc_sat_${Float}${Signed}`>(
  0xfc00,
  `i32_trunc_sat_f32_s i32_trunc_sat_f32_u i32_trunc_sat_f64_s i32_trunc_sat_f64_u
   i64_trunc_sat_f32_s i64_trunc_sat_f32_u i64_trunc_sat_f64_s i64_trunc_sat_f64_u`,
);

/** SIMD, spelled as in the specification with `.` written `_`. */
export const V = {
  load: 0xfd00,
  store: 0xfd0b,
  load32_zero: 0xfd5c,
  load64_zero: 0xfd5d,
  ...numbered<
    | "i8x16_swizzle"
    | `${"i8x16" | "i16x8" | "i32x4" | "i64x2" | "f32x4" | "f64x2"}_splat`
    | `${"i8x16" | "i16x8"}_extract_lane${Signed}`
    | `${"i32x4" | "i64x2" | "f32x4" | "f64x2"}_extract_lane`
    | `${"i8x16" | "i16x8" | "i32x4" | "i64x2" | "f32x4" | "f64x2"}_replace_lane`
    | `${"i8x16" | "i16x8" | "i32x4"}_${"eq" | "ne" | `${"lt" | "gt" | "le" | "ge"}${Signed}`}`
    | `${"f32x4" | "f64x2"}_${"eq" | "ne" | "lt" | "gt" | "le" | "ge"}`
    | "not"
    | "and"
    | "andnot"
    | "or"
    | "xor"
    | "bitselect"
    | "any_true"
  >(
    0xfd0e,
    `i8x16_swizzle i8x16_splat i16x8_splat i32x4_splat i64x2_splat f32x4_splat f64x2_splat
     i8x16_extract_lane_s i8x16_extract_lane_u i8x16_replace_lane
     i16x8_extract_lane_s i16x8_extract_lane_u i16x8_replace_lane
     i32x4_extract_lane i32x4_replace_lane i64x2_extract_lane i64x2_replace_lane
     f32x4_extract_lane f32x4_replace_lane f64x2_extract_lane f64x2_replace_lane
     i8x16_eq i8x16_ne i8x16_lt_s i8x16_lt_u i8x16_gt_s i8x16_gt_u i8x16_le_s i8x16_le_u i8x16_ge_s i8x16_ge_u
     i16x8_eq i16x8_ne i16x8_lt_s i16x8_lt_u i16x8_gt_s i16x8_gt_u i16x8_le_s i16x8_le_u i16x8_ge_s i16x8_ge_u
     i32x4_eq i32x4_ne i32x4_lt_s i32x4_lt_u i32x4_gt_s i32x4_gt_u i32x4_le_s i32x4_le_u i32x4_ge_s i32x4_ge_u
     f32x4_eq f32x4_ne f32x4_lt f32x4_gt f32x4_le f32x4_ge f64x2_eq f64x2_ne f64x2_lt f64x2_gt f64x2_le f64x2_ge
     not and andnot or xor bitselect any_true`,
  ),
  ...numbered<string>(
    0xfd5e,
    `f32x4_demote_f64x2_zero f64x2_promote_low_f32x4
     i8x16_abs i8x16_neg i8x16_popcnt i8x16_all_true i8x16_bitmask i8x16_narrow_i16x8_s i8x16_narrow_i16x8_u
     f32x4_ceil f32x4_floor f32x4_trunc f32x4_nearest i8x16_shl i8x16_shr_s i8x16_shr_u
     i8x16_add i8x16_add_sat_s i8x16_add_sat_u i8x16_sub i8x16_sub_sat_s i8x16_sub_sat_u f64x2_ceil f64x2_floor
     i8x16_min_s i8x16_min_u i8x16_max_s i8x16_max_u f64x2_trunc i8x16_avgr_u
     i16x8_extadd_pairwise_i8x16_s i16x8_extadd_pairwise_i8x16_u
     i32x4_extadd_pairwise_i16x8_s i32x4_extadd_pairwise_i16x8_u
     i16x8_abs i16x8_neg i16x8_q15mulr_sat_s i16x8_all_true i16x8_bitmask i16x8_narrow_i32x4_s i16x8_narrow_i32x4_u
     i16x8_extend_low_i8x16_s i16x8_extend_high_i8x16_s i16x8_extend_low_i8x16_u i16x8_extend_high_i8x16_u
     i16x8_shl i16x8_shr_s i16x8_shr_u i16x8_add i16x8_add_sat_s i16x8_add_sat_u
     i16x8_sub i16x8_sub_sat_s i16x8_sub_sat_u f64x2_nearest i16x8_mul i16x8_min_s i16x8_min_u i16x8_max_s i16x8_max_u
     - i16x8_avgr_u i16x8_extmul_low_i8x16_s i16x8_extmul_high_i8x16_s i16x8_extmul_low_i8x16_u
     i16x8_extmul_high_i8x16_u
     i32x4_abs i32x4_neg - i32x4_all_true i32x4_bitmask - - i32x4_extend_low_i16x8_s i32x4_extend_high_i16x8_s
     i32x4_extend_low_i16x8_u i32x4_extend_high_i16x8_u i32x4_shl i32x4_shr_s i32x4_shr_u i32x4_add - - i32x4_sub
     - - - i32x4_mul i32x4_min_s i32x4_min_u i32x4_max_s i32x4_max_u i32x4_dot_i16x8_s -
     i32x4_extmul_low_i16x8_s i32x4_extmul_high_i16x8_s i32x4_extmul_low_i16x8_u i32x4_extmul_high_i16x8_u
     i64x2_abs i64x2_neg - i64x2_all_true i64x2_bitmask - - i64x2_extend_low_i32x4_s i64x2_extend_high_i32x4_s
     i64x2_extend_low_i32x4_u i64x2_extend_high_i32x4_u i64x2_shl i64x2_shr_s i64x2_shr_u i64x2_add - - i64x2_sub
     - - - i64x2_mul i64x2_eq i64x2_ne i64x2_lt_s i64x2_gt_s i64x2_le_s i64x2_ge_s
     i64x2_extmul_low_i32x4_s i64x2_extmul_high_i32x4_s i64x2_extmul_low_i32x4_u i64x2_extmul_high_i32x4_u
     f32x4_abs f32x4_neg - f32x4_sqrt f32x4_add f32x4_sub f32x4_mul f32x4_div f32x4_min f32x4_max f32x4_pmin f32x4_pmax
     f64x2_abs f64x2_neg - f64x2_sqrt f64x2_add f64x2_sub f64x2_mul f64x2_div f64x2_min f64x2_max f64x2_pmin f64x2_pmax
     i32x4_trunc_sat_f32x4_s i32x4_trunc_sat_f32x4_u f32x4_convert_i32x4_s f32x4_convert_i32x4_u
     i32x4_trunc_sat_f64x2_s_zero i32x4_trunc_sat_f64x2_u_zero f64x2_convert_low_i32x4_s f64x2_convert_low_i32x4_u`,
  ),
} as const;

/** Relaxed SIMD: a * b + c, which may be fused (runtime/fused-host.ts). */
export const Relaxed = { f32x4_madd: 0xfd105, f64x2_madd: 0xfd107 } as const;

/** Number of a SIMD operation by name; a name that does not exist is a bug of the caller's table. */
export function simd(name: string): number {
  const number = (V as Record<string, number>)[name];
  if (number === undefined) throw new Error(`no SIMD operation ${name}`);
  return number;
}
