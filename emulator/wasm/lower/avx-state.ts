/** XGETBV, XSAVE, XSAVEOPT, XSAVEC, XRSTOR (Intel SDM volume 1, chapter 13). */
import { V, W } from "../emit/opcodes.ts";
import { STATUS_RECHECK, type Context } from "../context.ts";
import { VECTOR_GP } from "../../engine.ts";
import type { MemoryOperand } from "../decode.ts";
import { AT_XMM, AT_YMM_HIGH } from "../layout.ts";
import {
  AT_XSTATE_BV,
  AVX,
  REFUSED,
  XCR0,
  XSAVE_BYTES,
  XSAVE_BYTES_WITHOUT_AVX,
  XSAVE_KINDS,
} from "../runtime/avx-state.ts";
import { RAX, RCX, RDX } from "../../registers.ts";
import { requireAlignment } from "./avx.ts";
import { implied, type Lowering, type LoweringRows } from "./lowering.ts";

/** Generated code and helpers meet in the register file. */
function spillVectors(g: Context): void {
  for (let i = 0; i < 16; i++) {
    g.e.storeLocalAt(V.store, AT_XMM + i * 16, g.xmm(i));
    g.e.storeLocalAt(V.store, AT_YMM_HIGH + i * 16, g.ymmHigh(i));
  }
}

function reloadVectors(g: Context): void {
  for (let i = 0; i < 16; i++) {
    g.e.loadAt(V.load, AT_XMM + i * 16).set(g.xmmOut(i));
    g.e.loadAt(V.load, AT_YMM_HIGH + i * 16).set(g.ymmHighOut(i));
  }
}

/** XCR0 by ECX = 0; by ECX = 1 those of its components that are in use. */
function getControl(g: Context): void {
  const { e } = g;
  const value = g.t64();
  const number = g.t64();
  g.pushRegister(implied(RCX, 4));
  e.tee(number).i64(1).op(W.i64_gt_u);
  e.if();
  g.raise(VECTOR_GP, 0);
  e.end();
  spillVectors(g);
  e.i64(XCR0).call(g.runtime("xinuse")).extend().get(number).op(W.i64_eqz).select().set(value);
  e.get(value);
  g.popRegister(implied(RAX, 4));
  e.i64(0);
  g.popRegister(implied(RDX, 4));
}

/** Locals with the area's address, which must be a multiple of 64, and the components asked for. */
function operandsOf(g: Context): { address: number; wanted: number } {
  const { e } = g;
  const [address, wanted] = [g.t64(), g.t32()];
  g.pushAddress(g.instruction.operands[0] as MemoryOperand);
  e.set(address);
  requireAlignment(g, address, 64);
  g.pushRegister(implied(RAX, 4));
  e.wrap().i32(XCR0).op(W.i32_and).set(wanted);
  return { address, wanted };
}

/** Runs `access` with so many bytes as the condition on the stack demands: AVX or not. */
function bySize(g: Context, access: (bytes: number) => void): void {
  g.e.if();
  access(XSAVE_BYTES);
  g.e.else();
  access(XSAVE_BYTES_WITHOUT_AVX);
  g.e.end();
}

function save(kind: (typeof XSAVE_KINDS)[number]): Lowering {
  return (g) => {
    const { e } = g;
    const { address, wanted } = operandsOf(g);
    const host = g.t32();
    spillVectors(g);
    e.get(wanted).i32(AVX).op(W.i32_and);
    bySize(g, (bytes) => {
      g.pushHost(address, bytes, true);
      e.tee(host).get(wanted).i32(XSAVE_KINDS.indexOf(kind)).call(g.runtime("xsave"));
      g.commit(host, bytes);
    });
  };
}

/** The AVX component is read only when the header says that it is there. */
function restore(g: Context): void {
  const { e } = g;
  const { address, wanted } = operandsOf(g);
  const header = g.t64();
  const status = g.t32();
  e.get(address).i64(AT_XSTATE_BV).op(W.i64_add).set(header);
  spillVectors(g);
  g.loadAt(header, 8);
  e.wrap().get(wanted).op(W.i32_and).i32(AVX).op(W.i32_and);
  bySize(g, (bytes) => {
    g.pushHost(address, bytes, false);
    e.get(wanted).call(g.runtime("xrstor")).set(status);
  });
  e.get(status).i32(REFUSED).op(W.i32_eq);
  e.if();
  g.raise(VECTOR_GP, 0);
  e.end();
  reloadVectors(g);
  e.get(status);
  e.if();
  g.storeRipNext();
  g.leave(STATUS_RECHECK);
  e.end();
}

export const AVX_STATE: LoweringRows = [
  ["xgetbv", getControl],
  ...XSAVE_KINDS.flatMap((name) => [[name, save(name)] as const, [`${name}64`, save(name)] as const]),
  ["xrstor", restore],
  ["xrstor64", restore],
];
