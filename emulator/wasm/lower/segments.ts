/** Segment registers, descriptors, and the system registers that user code may read. */
import { I64 } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { MemoryOperand, Operand } from "../decode.ts";
import { ZF } from "../flags.ts";
import { AT_FS_BASE, AT_GS_BASE } from "../layout.ts";
import {
  DESCRIPTOR_ACCESS,
  DESCRIPTOR_LIMIT,
  DESCRIPTOR_READABLE,
  DESCRIPTOR_WRITABLE,
} from "../runtime/descriptors.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";

/** Selectors user code has: SS and CS as Linux sets them, null in the others. */
export const SELECTOR = [0, 0x33, 0x2b, 0, 0, 0];
const SEGMENT_CS = 1;
const SEGMENT_SS = 2;
const SEGMENT_FS = 4;
const SEGMENT_GS = 5;

/** What Linux gives instead of the real registers where the processor has UMIP (arch/x86/kernel/umip.c). */
const GDT_BASE = -0x20000;
const IDT_BASE = -0x10000;
const TASK_REGISTER = 0x40;
/** PE, MP, ET, NE, WP, AM, PG. */
const CR0 = 0x80050033;

/** Loads a segment register from an i32 local: #GP(selector) for what user code may not have. */
function loadSelector(g: Context, segment: number, selector: number): void {
  const { e } = g;
  g.storeRipHere();
  e.i32(segment).get(selector).call(g.runtime("loadSelector"));
  g.faultIf();
  const base = { [SEGMENT_FS]: AT_FS_BASE, [SEGMENT_GS]: AT_GS_BASE }[segment];
  if (base !== undefined) e.i32(0).i64(0).memory(Memory.i64_store, base);
}

/** MOV and POP to a segment register; to CS it is an invalid instruction. */
export function loadSegment(g: Context, segment: number, source: Operand): void {
  if (segment === SEGMENT_CS) {
    g.raise(6, 0);
    return;
  }
  const selector = g.t32();
  g.read(source, 2);
  g.e.wrap().set(selector);
  loadSelector(g, segment, selector);
}

/** LSS, LFS, LGS: a far pointer in memory, offset first. */
function loadFarPointer(segment: number): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as [Operand, MemoryOperand];
    const { offset, selector } = readFarPointer(g, source, g.sizeOf(target));
    loadSelector(g, segment, selector);
    e.get(offset);
    g.write(target);
  };
}

/** Reads an offset of so many bytes and the selector behind it. */
export function readFarPointer(g: Context, source: MemoryOperand, size: number): { offset: number; selector: number } {
  const { e } = g;
  const [address, offset] = [g.t64(), g.t64()];
  const [host, selector] = [g.t32(), g.t32()];
  g.pushAddress(source);
  e.set(address);
  g.pushHost(address, size + 2, false);
  e.tee(host)
    .memory(size === 8 ? Memory.i64_load : size === 4 ? Memory.i64_load32_u : Memory.i64_load16_u)
    .set(offset);
  e.get(host).memory(Memory.i32_load16_u, size).set(selector);
  return { offset, selector };
}

/** LAR and LSL: ZF says whether the selector can be seen; only then the destination changes. */
function describe(what: number): Lowering {
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as [Operand, Operand];
    const found = g.t64();
    pushDescriptor(g, source, what);
    e.tee(found).i64(-1).op(W.i64_ne);
    e.if();
    e.get(found);
    g.mask(g.sizeOf(target));
    g.write(target);
    e.end();
    setZero(g, found);
  };
}

/** VERR and VERW. */
function verify(what: number): Lowering {
  return (g) => {
    const found = g.temp(I64);
    pushDescriptor(g, g.instruction.operands[0]!, what);
    g.e.set(found);
    setZero(g, found);
  };
}

function pushDescriptor(g: Context, selector: Operand, what: number): void {
  g.read(selector, 2);
  g.e.wrap().i32(what).call(g.runtime("descriptor"));
}

/** ZF alone: whether a descriptor was found. */
function setZero(g: Context, found: number): void {
  const { e } = g;
  g.pushFlags();
  e.i32(~ZF).op(W.i32_and).get(found).i64(-1).op(W.i64_ne).i32(Math.log2(ZF)).op(W.i32_shl, W.i32_or);
  g.popFlags();
}

/** SLDT, STR, SMSW: 16 bits to memory, all to a register. */
function storeConstant(value: number): Lowering {
  return (g) => {
    const target = g.instruction.operands[0]!;
    const size = target.kind === "memory" ? 2 : g.sizeOf(target);
    g.e.i64(size === 2 ? value & 0xffff : value);
    g.write(target, size);
  };
}

/** SGDT and SIDT: a limit of 0 and a base. */
function storeTable(base: number): Lowering {
  return (g) => {
    const { e } = g;
    const address = g.t64();
    const host = g.t32();
    g.pushAddress(g.instruction.operands[0] as MemoryOperand);
    e.set(address);
    g.pushHost(address, 10, true);
    e.tee(host).i32(0).memory(Memory.i32_store16).get(host).i64(base).memory(Memory.i64_store, 2);
    g.commit(host, 10);
  };
}

export const SEGMENTS: LoweringRows = [
  ["lss", loadFarPointer(SEGMENT_SS)],
  ["lfs", loadFarPointer(SEGMENT_FS)],
  ["lgs", loadFarPointer(SEGMENT_GS)],
  ["lar", describe(DESCRIPTOR_ACCESS)],
  ["lsl", describe(DESCRIPTOR_LIMIT)],
  ["verr", verify(DESCRIPTOR_READABLE)],
  ["verw", verify(DESCRIPTOR_WRITABLE)],
  ["sldt", storeConstant(0)],
  ["str", storeConstant(TASK_REGISTER)],
  ["smsw", storeConstant(CR0)],
  ["sgdt", storeTable(GDT_BASE)],
  ["sidt", storeTable(IDT_BASE)],
];
