/** Makes blocks of records for the interpreter out of guest code. */
import type { PhysicalMemory } from "../../physical-memory.ts";
import type { Instruction } from "../decode.ts";
import type { SavedBlock } from "../cache/saved-page.ts";
import type { Layout } from "../layout.ts";
import { FormReader } from "./forms.ts";
import type { Handlers } from "./handlers.ts";
import {
  BLOCK_ADDRESS,
  BLOCK_COUNTER,
  BLOCK_HEADER,
  BLOCK_LENGTH,
  RECORD_ADDRESS,
  RECORD_BYTES,
  RECORD_DISPLACEMENT,
  RECORD_HANDLER,
  RECORD_IMMEDIATE,
  RECORD_NEXT,
  RECORD_SCALE,
  RECORD_SLOTS,
  RECORD_TARGETS,
  TARGETS_BYTES,
  TARGETS_COUNT,
  TARGETS_FIRST,
} from "./records.ts";

const TWO_32 = 4294967296;

export class Interpreter {
  private readonly view: DataView;
  private readonly u8: Uint8Array;
  private readonly u32: Uint32Array;
  private readonly handlers: Handlers;
  private readonly forms = new FormReader();
  private readonly start: number;
  private readonly end: number;
  private top: number;
  /** Where the targets of indirect jumps and calls are noted, by their addresses. */
  private readonly targetLists = new Map<number, number>();

  constructor(
    ram: PhysicalMemory,
    { records, recordBytes }: Pick<Layout, "records" | "recordBytes">,
    handlers: Handlers,
  ) {
    this.view = ram.view;
    this.u8 = ram.u8;
    this.u32 = ram.u32;
    this.handlers = handlers;
    // The first record is for single steps.
    this.start = records + RECORD_BYTES;
    this.end = records + recordBytes;
    this.top = this.start;
  }

  /** Writes a block; returns its address in RAM, or undefined when there is no room for it. */
  write(instructions: readonly Instruction[], runs: number): number | undefined {
    const last = instructions.at(-1)!;
    const learns = isIndirect(last) && !this.targetLists.has(last.address);
    const block = this.top;
    const size = BLOCK_HEADER + (instructions.length + (goesOn(instructions) ? 1 : 0)) * RECORD_BYTES;
    const end = block + size + (learns ? TARGETS_BYTES : 0);
    if (end > this.end) return undefined;
    this.top = end;
    if (learns) {
      this.u32[(block + size + TARGETS_COUNT) / 4] = 0;
      this.targetLists.set(last.address, block + size);
    }
    this.setCounter(block, runs);
    this.u32[(block + BLOCK_LENGTH) / 4] = instructions.length;
    this.writeAddress(block + BLOCK_ADDRESS, instructions[0]!.address);
    let record = block + BLOCK_HEADER;
    for (const instruction of instructions) {
      this.writeRecord(record, instruction);
      record += RECORD_BYTES;
    }
    const list = isIndirect(last) ? this.targetLists.get(last.address)! : 0;
    this.view.setUint32(record - RECORD_BYTES + RECORD_TARGETS, list, true);
    if (goesOn(instructions)) {
      this.view.setUint32(record + RECORD_HANDLER, this.handlers.end.slot, true);
      this.writeAddress(record + RECORD_ADDRESS, last.address + last.length);
    }
    this.handlers.flush();
    return block;
  }

  /** A block as it is kept for later runs. */
  save(block: number, address: number, size: number, instructions: readonly Instruction[]): SavedBlock {
    const first = block + BLOCK_HEADER;
    const count = instructions.length + (goesOn(instructions) ? 1 : 0);
    return {
      address,
      size,
      instructions: instructions.length,
      records: this.u8.slice(first, first + count * RECORD_BYTES),
      handlers: this.handlers.names,
    };
  }

  /** Writes a block of an earlier run. Undefined: there is no room for it, or a handler is unknown. */
  restore({ address, instructions, handlers, records }: SavedBlock, runs: number): number | undefined {
    const block = this.top;
    const end = block + BLOCK_HEADER + records.length;
    if (end + TARGETS_BYTES > this.end) return undefined;
    const slots = this.handlers.slotsOf(handlers);
    const { u32 } = this;
    this.u8.set(records, block + BLOCK_HEADER);
    for (let at = block + BLOCK_HEADER + RECORD_HANDLER; at < end; at += RECORD_BYTES) {
      const slot = slots[u32[at / 4]!];
      if (slot === undefined) return undefined;
      u32[at / 4] = slot;
    }
    this.top = end;
    this.setCounter(block, runs);
    this.u32[(block + BLOCK_LENGTH) / 4] = instructions;
    this.writeAddress(block + BLOCK_ADDRESS, address);
    this.restoreTargets(block + BLOCK_HEADER + (instructions - 1) * RECORD_BYTES);
    return block;
  }

  /** Gives a record that had a list of targets one of this run. */
  private restoreTargets(record: number): void {
    const { u32 } = this;
    if (u32[(record + RECORD_TARGETS) / 4] === 0) return;
    const jump = u32[(record + RECORD_ADDRESS) / 4]! + u32[(record + RECORD_ADDRESS) / 4 + 1]! * TWO_32;
    let list = this.targetLists.get(jump);
    if (list === undefined) {
      list = this.top;
      this.top += TARGETS_BYTES;
      u32[(list + TARGETS_COUNT) / 4] = 0;
      this.targetLists.set(jump, list);
    }
    u32[(record + RECORD_TARGETS) / 4] = list;
  }

  /** Writes the record for one instruction that is stepped over; returns its address. */
  writeStep(instruction: Instruction): number {
    const record = this.start - RECORD_BYTES;
    this.writeRecord(record, instruction);
    this.handlers.flush();
    return record;
  }

  /** Index in the table of the handler of a record. */
  handlerOf(record: number): number {
    return this.view.getUint32(record + RECORD_HANDLER, true);
  }

  counter(block: number): number {
    return this.u32[(block + BLOCK_COUNTER) / 4]!;
  }

  setCounter(block: number, runs: number): void {
    this.u32[(block + BLOCK_COUNTER) / 4] = runs;
  }

  /** Where the indirect jump or call at an address has led so far, in ascending order. */
  targets(jump: number): number[] {
    const list = this.targetLists.get(jump);
    if (list === undefined) return [];
    const found: number[] = [];
    for (let i = 0; i < this.u32[(list + TARGETS_COUNT) / 4]!; i++) {
      const at = (list + TARGETS_FIRST) / 4 + i * 2;
      found.push(this.u32[at]! + this.u32[at + 1]! * TWO_32);
    }
    return found.sort((a, b) => a - b);
  }

  /** Forgets all blocks. */
  clear(): void {
    this.top = this.start;
    this.targetLists.clear();
  }

  private writeRecord(record: number, instruction: Instruction): void {
    const { view } = this;
    const formed = this.forms.read(instruction);
    view.setUint32(record + RECORD_HANDLER, this.handlers.find(instruction, formed).slot, true);
    const { slots, immediate, displacement } = formed;
    for (let i = 0; i < slots.length; i++) view.setUint16(record + RECORD_SLOTS + i * 2, slots[i] ?? 0, true);
    view.setBigInt64(record + RECORD_IMMEDIATE, immediate, true);
    view.setBigInt64(record + RECORD_DISPLACEMENT, displacement, true);
    this.writeAddress(record + RECORD_ADDRESS, instruction.address);
    this.writeAddress(record + RECORD_NEXT, instruction.address + instruction.length);
    view.setUint32(record + RECORD_SCALE, formed.scale, true);
    view.setUint32(record + RECORD_TARGETS, 0, true);
  }

  private writeAddress(at: number, address: number): void {
    this.view.setUint32(at, address % TWO_32, true);
    this.view.setUint32(at + 4, Math.floor(address / TWO_32), true);
  }
}

const isIndirect = ({ mnemonic, flow, operands }: Instruction): boolean =>
  (flow === "stop" && mnemonic === "jmp") || (flow === "call" && operands[0]?.kind !== "branch");

/** Whether control may come to the instruction behind: then a record leads there. */
function goesOn(instructions: readonly Instruction[]): boolean {
  const { flow } = instructions.at(-1)!;
  return flow === "next" || flow === "branch";
}
