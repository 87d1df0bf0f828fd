/** CPUID, FXSAVE and FXRSTOR, MXCSR. */
import { Memory, V, W } from "../emit/opcodes.ts";
import { STATUS_RECHECK, type Context } from "../context.ts";
import type { MemoryOperand } from "../decode.ts";
import { AT_MXCSR, AT_XMM } from "../layout.ts";
import { RAX, RBX, RCX, RDX } from "../../registers.ts";
import { AT_MXCSR_READ } from "../runtime/fpu-state.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";

const IMAGE_BYTES = 512;

function cpuid(g: Context): void {
  g.spill(RAX, RCX);
  g.e.call(g.runtime("cpuid"));
  g.reload(RAX, RBX, RCX, RDX);
}

function hostOfImage(g: Context, write: boolean): number {
  const address = g.t64();
  const host = g.t32();
  g.pushAddress(g.instruction.operands[0] as MemoryOperand);
  g.e.set(address);
  g.pushHost(address, IMAGE_BYTES, write, true);
  g.e.set(host);
  return host;
}

/** @param wide 1 for the forms with REX.W */
function fxsave(wide: 0 | 1): Lowering {
  return (g) => {
    const { e } = g;
    const host = hostOfImage(g, true);
    for (let i = 0; i < 16; i++) e.storeLocalAt(V.store, AT_XMM + i * 16, g.xmm(i));
    e.get(host).i32(wide).call(g.runtime("fxsave"));
    g.commit(host, IMAGE_BYTES);
  };
}

function fxrstor(wide: 0 | 1): Lowering {
  return (g) => {
    const { e } = g;
    const host = hostOfImage(g, false);
    const status = g.t32();
    g.storeRipHere();
    e.get(host).i32(wide).call(g.runtime("fxrstor")).tee(status).i32(1).op(W.i32_eq);
    g.faultIf();
    for (let i = 0; i < 16; i++) e.loadAt(V.load, AT_XMM + i * 16).set(g.xmmOut(i));
    e.get(status);
    leaveForOtherCode(g);
  };
}

/** Pops an i32; not zero leaves the region, because MXCSR now wants code that is translated differently. */
function leaveForOtherCode(g: Context): void {
  g.e.if();
  g.storeRipNext();
  g.leave(STATUS_RECHECK);
  g.e.end();
}

function ldmxcsr(g: Context): void {
  const { e } = g;
  const value = g.t32();
  g.load(g.instruction.operands[0] as MemoryOperand, 4);
  e.wrap().tee(value).i32(0xffff).op(W.i32_gt_u);
  e.if();
  g.raise(13, 0);
  e.end();
  e.get(value).call(g.runtime("loadMxcsr"));
  leaveForOtherCode(g);
}

function stmxcsr(g: Context): void {
  const { e } = g;
  e.loadAt(Memory.i64_load32_u, AT_MXCSR);
  g.write(g.instruction.operands[0]!, 4);
  e.i32(0).i32(1).memory(Memory.i32_store, AT_MXCSR_READ);
}

export const SYSTEM: LoweringRows = [
  ["cpuid", cpuid],
  ["fxsave", fxsave(0)],
  ["fxsave64", fxsave(1)],
  ["fxrstor", fxrstor(0)],
  ["fxrstor64", fxrstor(1)],
  ["ldmxcsr", ldmxcsr],
  ["stmxcsr", stmxcsr],
];
