/** Writes the body of one WebAssembly function, instruction by instruction, and keeps track of labels and locals. */
import { Memory, W } from "./opcodes.ts";
import { ByteWriter } from "./byte-writer.ts";

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const VOID = 0x40;
export type ValueType = typeof I32 | typeof I64 | typeof F32 | typeof F64 | typeof V128;

const TABLE_FUNCTION = 0x10000;

/** Names a function by its type and its place in the module's table, for `call`. */
export function throughTable(type: number, place: number): number {
  return TABLE_FUNCTION + type * 256 + place;
}

/** A block, loop or if that branches may name: its nesting depth. */
export type Label = number;

export class Assembler {
  readonly code = new ByteWriter();
  /** Types of the locals behind the parameters. */
  readonly locals: ValueType[] = [];
  private readonly parameters: number;
  /** How many blocks, loops and ifs are open. */
  depth = 0;
  /** Where branches stand that are hardly ever taken, as offsets in `code`. */
  private readonly unlikelyAt: number[] = [];
  private readonly insertions: { readonly at: number; readonly write: (e: Assembler) => void }[] = [];

  constructor(parameters: number) {
    this.parameters = parameters;
  }

  /** A new local variable, zero at the start of the function. */
  local(type: ValueType): number {
    this.locals.push(type);
    return this.parameters + this.locals.length - 1;
  }

  op(...opcodes: number[]): this {
    for (const opcode of opcodes) {
      if (opcode < 0x100) this.code.byte(opcode);
      else {
        const digits = opcode < 0x10000 ? 8 : 12;
        this.code.byte(opcode >> digits);
        this.code.unsigned(opcode & ((1 << digits) - 1));
      }
    }
    return this;
  }

  get(local: number): this {
    this.code.byte(0x20);
    this.code.unsigned(local);
    return this;
  }

  set(local: number): this {
    this.code.byte(0x21);
    this.code.unsigned(local);
    return this;
  }

  tee(local: number): this {
    this.code.byte(0x22);
    this.code.unsigned(local);
    return this;
  }

  i32(value: number): this {
    this.code.byte(0x41);
    this.code.signed(value | 0);
    return this;
  }

  /** A 64-bit constant: a safe integer, or a bigint of which the low 64 bits count. */
  i64(value: number | bigint): this {
    this.code.byte(0x42);
    if (typeof value === "number") this.code.signed(value);
    else this.code.signedBig(BigInt.asIntN(64, value));
    return this;
  }

  f64(value: number): this {
    this.code.byte(0x44);
    this.code.float64(value);
    return this;
  }

  f32(value: number): this {
    this.code.byte(0x43);
    this.code.float32(value);
    return this;
  }

  v128(bytes: ArrayLike<number>): this {
    this.op(0xfd0c);
    for (let i = 0; i < 16; i++) this.code.byte(bytes[i]!);
    return this;
  }

  /** i8x16.shuffle with lane numbers 0 to 31. */
  shuffle(lanes: ArrayLike<number>): this {
    this.op(0xfd0d);
    for (let i = 0; i < 16; i++) this.code.byte(lanes[i]!);
    return this;
  }

  /** An extract_lane or replace_lane. */
  lane(opcode: number, lane: number): this {
    this.op(opcode);
    this.code.byte(lane);
    return this;
  }

  /** A load or store; alignment is never promised. */
  memory(opcode: number, offset = 0): this {
    this.op(opcode);
    this.code.byte(0);
    this.code.unsigned(offset);
    return this;
  }

  /** Pops (to, from, bytes) and copies as if through a buffer. */
  copyMemory(): this {
    this.op(0xfc0a).code.byte(0);
    this.code.byte(0);
    return this;
  }

  /** Pops (to, value, bytes). */
  fillMemory(): this {
    this.op(0xfc0b).code.byte(0);
    return this;
  }

  /** Loads from a constant address. */
  loadAt(opcode: number, address: number): this {
    return this.i32(0).memory(opcode, address);
  }

  /** Stores a local at a constant address. */
  storeLocalAt(opcode: number, address: number, local: number): this {
    return this.i32(0).get(local).memory(opcode, address);
  }

  /** Calls a function by its index, or one that `throughTable` names. */
  call(functionIndex: number): this {
    if (functionIndex >= TABLE_FUNCTION) {
      return this.i32(functionIndex & 255).callIndirect((functionIndex - TABLE_FUNCTION) >> 8);
    }
    this.code.byte(0x10);
    this.code.unsigned(functionIndex);
    return this;
  }

  /** Calls the function of a type whose table index is on the stack. */
  callIndirect(type: number): this {
    this.code.byte(0x11);
    this.code.unsigned(type);
    this.code.byte(0);
    return this;
  }

  block(type: number = VOID): Label {
    return this.open(0x02, type);
  }

  loop(type: number = VOID): Label {
    return this.open(0x03, type);
  }

  if(type: number = VOID): Label {
    return this.open(0x04, type);
  }

  else(): this {
    return this.op(0x05);
  }

  end(): this {
    this.depth--;
    return this.op(0x0b);
  }

  br(label: Label): this {
    this.code.byte(0x0c);
    this.code.unsigned(this.depth - label);
    return this;
  }

  brIf(label: Label): this {
    this.code.byte(0x0d);
    this.code.unsigned(this.depth - label);
    return this;
  }

  /** Branches out of so many blocks and to the end of the next one. */
  brOut(blocks: number): this {
    this.code.byte(0x0c);
    this.code.unsigned(blocks);
    return this;
  }

  /**
   * As `br` or `brIf` to one of the blocks that are put around the function in the end: `place` says which then, counted
   * from the innermost.
   */
  brAround(conditional: boolean, place: () => number): this {
    const { depth } = this;
    this.code.byte(conditional ? 0x0d : 0x0c);
    return this.later((e) => e.code.unsigned(depth + place()));
  }

  /** Ends one of these blocks. */
  endAround(): this {
    return this.op(0x0b);
  }

  /** Jumps to the label whose number is on the stack; the last one serves for all larger numbers. */
  brTable(labels: readonly Label[]): this {
    this.code.byte(0x0e);
    this.code.unsigned(labels.length - 1);
    for (const label of labels) this.code.unsigned(this.depth - label);
    return this;
  }

  select(): this {
    return this.op(0x1b);
  }

  return(): this {
    return this.op(0x0f);
  }

  unreachable(): this {
    return this.op(0x00);
  }

  drop(): this {
    return this.op(0x1a);
  }

  /** An i64 on the stack becomes an i32. */
  wrap(): this {
    return this.op(W.i32_wrap_i64);
  }

  /**
   * An i32 on the stack becomes an i64, zero-extended. By a mask: V8 takes the i32 itself for a mere extension, and its
   * optimizing compiler then confuses their widths where both kinds of value meet (v8-flags.ts).
   */
  extend(): this {
    return this.op(W.i64_extend_i32_u).i64(0xffffffff).op(W.i64_and);
  }

  /** Says that the condition of the `if` or `br_if` to be written next is hardly ever true. */
  unlikely(): this {
    this.unlikelyAt.push(this.code.length);
    return this;
  }

  /** Code for this place that can only be written when everything else is: straight-line, by `body`. */
  later(write: (e: Assembler) => void): this {
    this.insertions.push({ at: this.code.length, write });
    return this;
  }

  /** The function's code, with what was left for later, and where in it unlikely branches stand. */
  body(): { readonly code: Uint8Array; readonly unlikely: readonly number[] } {
    const all = this.code.bytes;
    const out = new ByteWriter();
    const unlikely: number[] = [];
    let from = 0;
    let hint = 0;
    const moveHints = (to: number): void => {
      for (; hint < this.unlikelyAt.length && this.unlikelyAt[hint]! < to; hint++) {
        unlikely.push(this.unlikelyAt[hint]! + out.length - from);
      }
    };
    for (const { at, write } of this.insertions) {
      moveHints(at);
      out.append(all.subarray(from, at));
      const inserted = new Assembler(this.parameters);
      write(inserted);
      out.append(inserted.code.bytes);
      from = at;
    }
    moveHints(all.length);
    out.append(all.subarray(from));
    return { code: out.bytes, unlikely };
  }

  private open(opcode: number, type: number): Label {
    this.code.byte(opcode);
    this.code.byte(type);
    return ++this.depth;
  }
}

/** Zero-extending i64 loads and truncating i64 stores by size in bytes. */
export const LOAD_I64: Readonly<Record<number, number>> = {
  1: Memory.i64_load8_u,
  2: Memory.i64_load16_u,
  4: Memory.i64_load32_u,
  8: Memory.i64_load,
};
export const STORE_I64: Readonly<Record<number, number>> = {
  1: Memory.i64_store8,
  2: Memory.i64_store16,
  4: Memory.i64_store32,
  8: Memory.i64_store,
};
