/** Names for what generated code finds at constant addresses of RAM: the engine's state and its tables (layout.ts). */
import { REGISTER_NAMES } from "../../registers.ts";
import {
  RECORD_ADDRESS,
  RECORD_DISPLACEMENT,
  RECORD_HANDLER,
  RECORD_IMMEDIATE,
  RECORD_NEXT,
  RECORD_SCALE,
  RECORD_SLOTS,
} from "../interpret/records.ts";
import * as at from "../layout.ts";

const SINGLE: readonly (readonly [number, string])[] = [
  [at.AT_STOP_KIND, "stop_kind"],
  [at.AT_STOP_VECTOR, "stop_vector"],
  [at.AT_STOP_ADDRESS, "stop_address"],
  [at.AT_STOP_ERROR, "stop_error"],
  [at.AT_BUDGET, "budget"],
  [at.AT_CC_OP, "flags_op"],
  [at.AT_CC_A, "flags_a"],
  [at.AT_CC_B, "flags_b"],
  [at.AT_CC_R, "flags_result"],
  [at.AT_MXCSR, "mxcsr"],
  [at.AT_ZERO, "zero"],
  [at.AT_DEPTH, "call_depth"],
  [at.AT_VECTOR_TRAP, "vector_trap"],
  [at.AT_X87_CONTROL, "x87_control"],
  [at.AT_X87_STATUS, "x87_status"],
  [at.AT_X87_TOP, "x87_top"],
  [at.AT_X87_USED, "x87_used"],
];

/** Register files: where they begin, bytes of a register, how many. */
const FILES: readonly (readonly [number, number, number, (index: number) => string])[] = [
  [0, 8, REGISTER_NAMES.length, (index) => REGISTER_NAMES[index]!],
  [at.AT_XMM, 16, 16, (index) => `xmm${index}`],
  [at.AT_YMM_HIGH, 16, 16, (index) => `ymm${index}_high`],
  [at.AT_X87, 16, 8, (index) => `x87_r${index}`],
  [at.AT_SCRATCH, 16, 16, (index) => `scratch${index}`],
];

const names = new Map<number, string>(SINGLE);
for (const [start, size, count, name] of FILES) {
  for (let index = 0; index < count; index++) names.set(start + index * size, name(index));
}

/** A name that is also fit for a local of WebAssembly's text form; undefined where nothing special lies. */
export function stateName(address: number): string | undefined {
  return names.get(address);
}

/** What a place in the tables is for. */
export function tableName(address: number, layout: at.Layout): string | undefined {
  const { readTlb, writeTlb, readSites, writeSites } = layout;
  const within = (start: number, bytes: number): boolean => address >= start && address < start + bytes;
  if (within(readTlb, at.TLB_BYTES)) return "TLB for reading";
  if (within(writeTlb, at.TLB_BYTES)) return "TLB for writing";
  if (within(readSites, at.SITE_BYTES)) return "window last read here";
  if (within(writeSites, at.SITE_BYTES)) return "window last written here";
  return undefined;
}

/** Parts of an interpreter's record. */
export function recordField(offset: number): string | undefined {
  const slot = (offset - RECORD_SLOTS) / 2;
  if (Number.isInteger(slot) && slot >= 0 && slot < 8) return `register ${slot} of the record`;
  const fields = new Map([
    [RECORD_HANDLER, "handler"],
    [RECORD_IMMEDIATE, "immediate"],
    [RECORD_DISPLACEMENT, "displacement"],
    [RECORD_ADDRESS, "address"],
    [RECORD_NEXT, "address of the next instruction"],
    [RECORD_SCALE, "scale"],
  ]);
  const field = fields.get(offset);
  return field && `${field}, from the record`;
}
