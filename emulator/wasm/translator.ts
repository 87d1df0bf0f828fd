/**
 * Finds translations for addresses and keeps the jump cache, through which the dispatcher finds them again. Code is
 * interpreted first; what runs often is compiled.
 */
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { jumpOffset, type BaseExports } from "./base-module.ts";
import { findBlocks, type Block } from "./blocks.ts";
import { CodeCache, pageOf, type Piece, type Translation } from "./code-cache.ts";
import { CodeReader, restOfPage, type Instruction } from "./decode.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { Handlers } from "./interpret/handlers.ts";
import { Interpreter } from "./interpret/interpreter.ts";
import { LONGEST_BLOCK } from "./interpret/records.ts";
import { AT_RIP, JUMP_BYTES } from "./layout.ts";
import { FETCH } from "./page-walk.ts";
import { translate } from "./translate.ts";

const TWO_32 = 4294967296;
const LONGEST_INSTRUCTION = 15;
/** So much of a page is handed to the decoder for a block. */
const WINDOW = LONGEST_BLOCK * 8;

export interface TranslatorOptions {
  /** A block is compiled when it was interpreted so often; Infinity: never. */
  readonly hotRuns: number;
}

export const DEFAULT_OPTIONS: TranslatorOptions = { hotRuns: 150 };

export class Translator {
  /** Mnemonics without a lowering and how often one was translated. */
  readonly unknown = new Map<string, number>();
  readonly statistics = { blocks: 0, interpreted: 0, regions: 0, instructions: 0, bytes: 0 };

  private readonly ram: PhysicalMemory;
  private readonly memory: GuestMemory;
  private readonly base: BaseExports;
  private readonly imports: WebAssembly.Imports;
  private readonly options: TranslatorOptions;
  private readonly cache: CodeCache;
  private readonly handlers: Handlers;
  private readonly interpreter: Interpreter;
  private readonly interpretSlot: number;
  private readonly freeSlots: number[] = [];
  private nextSlot = 1;
  /** Jump cache entries in use, as indexes of 32-bit words. */
  private usedEntries: number[] = [];
  /** Virtual pages with entries in the jump cache. */
  private readonly cachedPages = new Set<number>();

  constructor(
    ram: PhysicalMemory,
    memory: GuestMemory,
    base: BaseExports,
    imports: WebAssembly.Imports,
    options: TranslatorOptions = DEFAULT_OPTIONS,
  ) {
    this.ram = ram;
    this.memory = memory;
    this.base = base;
    this.imports = imports;
    this.options = options;
    this.cache = new CodeCache(ram.u8);
    this.cache.onRemove = ({ slot }) => this.freeSlots.push(slot);
    this.interpretSlot = this.reserve();
    this.base.table.set(this.interpretSlot, base.interpret);
    this.handlers = new Handlers({
      layout: memory.layout,
      reserve: () => this.reserve(),
      install: (binary, slots) => this.install(binary, slots, "h"),
      onUnknown: (instruction) => this.noteUnknown(instruction),
    });
    this.interpreter = new Interpreter(ram, memory.layout, this.handlers);
    const { jumpCache } = memory.layout;
    ram.u8.fill(0, jumpCache, jumpCache + JUMP_BYTES);
    // Address 0 belongs to entry 0, so a zero key is invalid everywhere else.
    ram.u32[jumpCache / 4] = 1;
  }

  /** Makes the dispatcher know a translation at RIP. False: fetching it faults, and the stop is filled in. */
  provide(low: number, high: number): boolean {
    const pfn = this.fetch(low, high);
    if (pfn < 0) return false;
    const address = (high >>> 0) * TWO_32 + (low >>> 0);
    let translation = this.cache.find(address, pfn);
    if (translation && translation.pieces.length > 1 && !this.isMapped(translation)) translation = undefined;
    translation ??= this.interpret(address, pfn);
    if (!translation) return false;
    this.use(address, translation);
    return true;
  }

  /** The interpreter met a block that runs often: compiles what belongs to it. */
  promote(low: number, high: number): void {
    const pfn = this.fetch(low, high);
    if (pfn < 0) return;
    const address = (high >>> 0) * TWO_32 + (low >>> 0);
    const region = this.compile(address, pfn);
    if (region) this.use(address, region);
  }

  /** Executes the one instruction at RIP; returns its status, or -1 when fetching it faults. */
  step(low: number, high: number): number {
    const pfn = this.fetch(low, high);
    if (pfn < 0) return -1;
    const address = (high >>> 0) * TWO_32 + (low >>> 0);
    const code = this.instructionBytes(address, pfn);
    if (!code) return -1;
    const record = this.interpreter.writeStep(code.instruction);
    const handler = this.base.table.get(this.interpreter.handlerOf(record)) as (record: number) => number;
    const result = handler(record);
    if (result !== 0) return result - 1;
    this.setRip(address + code.instruction.length);
    return 0;
  }

  /** The bytes of a frame have changed. */
  invalidateFrame(pfn: number): void {
    if (!this.cache.invalidate(pfn)) return;
    if (this.memory.codeFrames[pfn] === 0) return;
    this.memory.codeFrames[pfn] = 0;
    this.flushJumps();
  }

  flushJumps(): void {
    if (this.usedEntries.length === 0) return;
    const { u32 } = this.ram;
    const first = this.memory.layout.jumpCache / 4;
    for (const entry of this.usedEntries) {
      u32[entry] = entry === first ? 1 : 0;
      u32[entry + 1] = 0;
    }
    this.usedEntries = [];
    this.cachedPages.clear();
  }

  flushJumpsOf(address: number): void {
    const page = pageOf(address);
    if (this.cachedPages.has(page)) this.flushJumps();
  }

  private reserve(): number {
    const slot = this.freeSlots.pop() ?? this.nextSlot++;
    const { table } = this.base;
    if (slot >= table.length) table.grow(Math.max(256, table.length));
    return slot;
  }

  private install(binary: Uint8Array<ArrayBuffer>, slots: readonly number[], prefix: string): void {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), this.imports);
    slots.forEach((slot, i) => this.base.table.set(slot, exports[prefix + i]));
    this.statistics.bytes += binary.length;
  }

  private noteUnknown({ mnemonic }: Instruction): void {
    this.unknown.set(mnemonic, (this.unknown.get(mnemonic) ?? 0) + 1);
  }

  private setRip(address: number): void {
    this.ram.u32[AT_RIP / 4] = address % TWO_32;
    this.ram.u32[AT_RIP / 4 + 1] = Math.floor(address / TWO_32);
  }

  private fetch(low: number, high: number): number {
    const pfn = this.memory.walker.translate(low >>> 0, high >>> 0, FETCH);
    if (pfn < 0) this.memory.noteFault(low, high);
    return pfn;
  }

  private fetchPage(page: number): number {
    return this.fetch(page % TWO_32, Math.floor(page / TWO_32));
  }

  /** Whether all pages of a translation are where they were when it was made. */
  private isMapped({ pieces }: Translation): boolean {
    return pieces.every(
      ({ address, pfn }) => this.memory.walker.translate(address % TWO_32, Math.floor(address / TWO_32), FETCH) === pfn,
    );
  }

  /** Puts a translation into the jump cache. */
  private use(address: number, translation: Translation): void {
    if (!translation.valid) {
      translation.valid = true;
      for (const { pfn } of translation.pieces) this.memory.protect(pfn);
    }
    const entry = (this.memory.layout.jumpCache + jumpOffset(address)) / 4;
    const { u32 } = this.ram;
    u32[entry] = address % TWO_32;
    u32[entry + 1] = Math.floor(address / TWO_32);
    u32[entry + 2] = translation.slot;
    u32[entry + 3] = translation.entries.get(address)!;
    this.usedEntries.push(entry);
    for (const piece of translation.pieces) this.cachedPages.add(pageOf(piece.address));
  }

  /** A new block for the interpreter. Undefined: fetching its first instruction faults. */
  private interpret(address: number, pfn: number): Translation | undefined {
    let instructions = this.decode(address, pfn);
    let pieces: Piece[];
    if (instructions.length === 0) {
      const code = this.instructionBytes(address, pfn);
      if (!code) return undefined;
      instructions = [code.instruction];
      pieces = code.pieces;
    } else {
      const last = instructions.at(-1)!;
      const host = pfn * PAGE_SIZE + (address % PAGE_SIZE);
      pieces = [{ address, pfn, bytes: this.ram.u8.slice(host, host + last.address + last.length - address) }];
    }
    let block = this.interpreter.write(instructions, this.options.hotRuns);
    if (block === undefined) {
      this.cache.clear(false);
      this.flushJumps();
      this.interpreter.clear();
      block = this.interpreter.write(instructions, this.options.hotRuns)!;
    }
    const entries = new Map([[address, block]]);
    const translation = { slot: this.interpretSlot, entries, pieces, compiled: false, valid: false };
    this.cache.add(translation);
    this.statistics.blocks++;
    this.statistics.interpreted += instructions.length;
    return translation;
  }

  /** Instructions from an address on, up to one that does not go on, within the page. */
  private decode(address: number, pfn: number): Instruction[] {
    const host = pfn * PAGE_SIZE + (address % PAGE_SIZE);
    const size = Math.min(restOfPage(address), WINDOW);
    const reader = new CodeReader(this.ram.u8.subarray(host, host + size), address);
    const instructions: Instruction[] = [];
    try {
      for (let at = address; instructions.length < LONGEST_BLOCK && at < address + size; ) {
        const instruction = reader.read(at);
        if (!instruction) break;
        instructions.push(instruction);
        if (instruction.flow !== "next" && instruction.flow !== "branch") break;
        at += instruction.length;
      }
    } finally {
      reader.dispose();
    }
    return instructions;
  }

  /** Decodes the instruction at an address with the next page behind it if needed. Undefined: a fetch fault is noted. */
  private instructionBytes(address: number, pfn: number): { instruction: Instruction; pieces: Piece[] } | undefined {
    const { u8 } = this.ram;
    const host = pfn * PAGE_SIZE + (address % PAGE_SIZE);
    const rest = Math.min(restOfPage(address), LONGEST_INSTRUCTION);
    const first = decodeOne(u8.slice(host, host + rest), address);
    if (first) return { instruction: first, pieces: [{ address, pfn, bytes: u8.slice(host, host + first.length) }] };
    const next = pageOf(address) + PAGE_SIZE;
    const secondPfn = this.fetchPage(next);
    if (secondPfn < 0) return undefined;
    const bytes = new Uint8Array(LONGEST_INSTRUCTION + 1);
    bytes.set(u8.subarray(host, host + rest));
    bytes.set(u8.subarray(secondPfn * PAGE_SIZE, secondPfn * PAGE_SIZE + bytes.length - rest), rest);
    const instruction = decodeOne(bytes, address)!;
    const size = Math.max(instruction.length, rest + 1);
    const pieces = [
      { address, pfn, bytes: bytes.slice(0, rest) },
      { address: next, pfn: secondPfn, bytes: bytes.slice(rest, size) },
    ];
    return { instruction, pieces };
  }

  private compile(address: number, pfn: number): Translation | undefined {
    const page = pageOf(address);
    const bytes = this.ram.u8.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
    const reader = new CodeReader(bytes, page);
    let blocks: Block[];
    try {
      blocks = findBlocks(reader, address, (other) => this.cache.find(other, pfn)?.compiled === true);
    } finally {
      reader.dispose();
    }
    if (blocks.length === 0) return undefined;
    const pieces = blocks.map(({ start, instructions }) => {
      const last = instructions.at(-1)!;
      return { address: start, pfn, bytes: bytes.slice(start - page, last.address + last.length - page) };
    });
    const binary = translate(blocks, {
      layout: this.memory.layout,
      onUnknown: (instruction) => this.noteUnknown(instruction),
    });
    const slot = this.reserve();
    this.install(binary, [slot], "r");
    this.statistics.regions++;
    for (const block of blocks) this.statistics.instructions += block.instructions.length;
    const entries = new Map(blocks.map((block, i) => [block.start, i]));
    const region = { slot, entries, pieces, compiled: true, valid: false };
    this.cache.add(region);
    return region;
  }
}

function decodeOne(bytes: Uint8Array, address: number): Instruction | undefined {
  const reader = new CodeReader(bytes, address);
  try {
    return reader.read(address);
  } finally {
    reader.dispose();
  }
}
