/**
 * REP MOVS and REP STOS as they mostly are (Intel SDM volume 2, REP): upward, within one page of source and destination
 * that are both at hand. Everything else is the work of strings.ts.
 */
import { I32, I64, type Assembler } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import { pushTlbEntry } from "../context.ts";
import { AT_RFLAGS, type Layout } from "../layout.ts";
import { RAX, RCX, RDI, RSI } from "../../registers.ts";
import { STRING_OPERATIONS } from "./strings.ts";

const TF_OR_DF = 0x500;

/** The function `string` (signatures.ts), which hands over to the helper of that name. */
export function writeString(e: Assembler, layout: Layout, helper: number): void {
  const [operation, size, prefix, addressSize, segment] = [0, 1, 2, 3, 4];
  const [count, address, distance] = [e.local(I64), e.local(I64), e.local(I64)];
  const [bytes, from, to] = [e.local(I32), e.local(I32), e.local(I32)];
  const entry = e.local(I32);
  const isStore = (): void => void e.get(operation).i32(STRING_OPERATIONS.indexOf("stos")).op(W.i32_eq);

  const otherwise = e.block();
  e.get(prefix).op(W.i32_eqz).brIf(otherwise);
  e.get(operation).i32(STRING_OPERATIONS.indexOf("stos")).op(W.i32_gt_u).brIf(otherwise);
  e.get(addressSize).i32(8).op(W.i32_ne).get(segment).op(W.i32_or).brIf(otherwise);
  e.loadAt(Memory.i32_load, AT_RFLAGS).i32(TF_OR_DF).op(W.i32_and).brIf(otherwise);
  e.loadAt(Memory.i64_load, RCX * 8).tee(count);
  e.i64(1).op(W.i64_sub).i64(4095).op(W.i64_gt_u).brIf(otherwise);
  e.get(count).wrap().get(size).op(W.i32_mul).set(bytes);

  /** The host address of all bytes from a register on. */
  const find = (register: number, tlb: number, host: number): void => {
    e.loadAt(Memory.i64_load, register * 8).set(address);
    pushTlbEntry(e, address, entry);
    e.get(address).get(entry).memory(Memory.i64_load, tlb).op(W.i64_sub).tee(distance);
    e.i64(4095).op(W.i64_gt_u).brIf(otherwise);
    e.get(distance).wrap().get(bytes).op(W.i32_add).i32(4096).op(W.i32_gt_u).brIf(otherwise);
    e.get(distance)
      .wrap()
      .get(entry)
      .memory(Memory.i32_load, tlb + 8)
      .op(W.i32_add)
      .set(host);
  };
  const advance = (register: number): void => {
    e.i32(0)
      .loadAt(Memory.i64_load, register * 8)
      .get(bytes)
      .extend();
    e.op(W.i64_add).memory(Memory.i64_store, register * 8);
  };

  find(RDI, layout.writeTlb, to);
  isStore();
  e.if();
  // Elements of several bytes are filled here when they are zero.
  e.get(size)
    .i32(1)
    .op(W.i32_ne)
    .loadAt(Memory.i64_load, RAX * 8);
  e.i64(64).get(size).extend().i64(3).op(W.i64_shl, W.i64_sub, W.i64_shl, W.i64_eqz, W.i32_eqz, W.i32_and);
  e.brIf(otherwise);
  e.get(to)
    .loadAt(Memory.i32_load8_u, RAX * 8)
    .get(bytes)
    .fillMemory();
  e.else();
  find(RSI, layout.readTlb, from);
  // Onto what is still to be read: elements repeat.
  e.get(to).get(from).op(W.i32_sub).i32(1).op(W.i32_sub);
  e.get(bytes).i32(1).op(W.i32_sub, W.i32_lt_u).brIf(otherwise);
  e.get(to).get(from).get(bytes).copyMemory();
  advance(RSI);
  e.end();
  advance(RDI);
  e.i32(0)
    .i64(0)
    .memory(Memory.i64_store, RCX * 8);
  e.i32(0).return();
  e.end();
  for (const parameter of [operation, size, prefix, addressSize, segment]) e.get(parameter);
  e.call(helper);
}
