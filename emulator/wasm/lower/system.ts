/** CPUID, FXSAVE and FXRSTOR, MXCSR. */
import { Memory, W } from "../emit/opcodes.ts";
import { V } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { MemoryOperand } from "../decode.ts";
import { AT_MXCSR, AT_XMM } from "../layout.ts";
import { RAX, RBX, RCX, RDX } from "../../registers.ts";
import type { LoweringRows } from "./lowering.ts";

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

function fxsave(g: Context): void {
  const { e } = g;
  const host = hostOfImage(g, true);
  for (let i = 0; i < 16; i++) e.storeLocalAt(V.store, AT_XMM + i * 16, g.xmm(i));
  e.get(host).call(g.runtime("fxsave"));
  g.commit(host, IMAGE_BYTES);
}

function fxrstor(g: Context): void {
  const { e } = g;
  const host = hostOfImage(g, false);
  e.get(host).call(g.runtime("fxrstor"));
  g.faultIf();
  for (let i = 0; i < 16; i++) e.loadAt(V.load, AT_XMM + i * 16).set(g.xmmOut(i));
}

function ldmxcsr(g: Context): void {
  const { e } = g;
  const value = g.t32();
  g.load(g.instruction.operands[0] as MemoryOperand, 4);
  e.wrap().tee(value).i32(0xffff).op(W.i32_gt_u);
  e.if();
  g.raise(13, 0);
  e.end();
  e.storeLocalAt(Memory.i32_store, AT_MXCSR, value);
}

function stmxcsr(g: Context): void {
  g.e.loadAt(Memory.i64_load32_u, AT_MXCSR);
  g.write(g.instruction.operands[0]!, 4);
}

export const SYSTEM: LoweringRows = [
  ["cpuid", cpuid],
  ["fxsave", fxsave],
  ["fxsave64", fxsave],
  ["fxrstor", fxrstor],
  ["fxrstor64", fxrstor],
  ["ldmxcsr", ldmxcsr],
  ["stmxcsr", stmxcsr],
];
