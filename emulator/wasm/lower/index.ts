/** All lowerings by iced's mnemonic. */
import { ARITHMETIC } from "./arithmetic.ts";
import { BITS } from "./bits.ts";
import { CONTROL } from "./control.ts";
import type { Lowering } from "./lowering.ts";
import { MOVES } from "./moves.ts";
import { MULTIPLICATION } from "./multiply.ts";
import { SEGMENTS } from "./segments.ts";
import { SHIFTS } from "./shifts.ts";
import { STRINGS } from "./strings.ts";
import { SSE_INTEGER } from "./sse-integer.ts";
import { sseFloat } from "./sse-float.ts";
import { SSE_MOVES } from "./sse-moves.ts";
import { SSE_STRINGS } from "./sse-strings.ts";
import { SYSTEM } from "./system.ts";
import { X87 } from "./x87.ts";

export const LOWERINGS: ReadonlyMap<string, Lowering> = new Map<string, Lowering>([
  ...ARITHMETIC,
  ...MOVES,
  ...SHIFTS,
  ...MULTIPLICATION,
  ...BITS,
  ...CONTROL,
  ...STRINGS,
  ...SYSTEM,
  ...SEGMENTS,
  ...X87,
  ...SSE_MOVES,
  ...SSE_STRINGS,
  ...SSE_INTEGER,
  ...sseFloat(new Map(STRINGS)),
]);
