/**
 * Finds translations for addresses and keeps the jump cache, through which the dispatcher finds them again. Code is
 * interpreted first; what runs often is compiled.
 */
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { jumpOffset, type BaseExports } from "./base-module.ts";
import { CodeCache, pageOf, type Translation } from "./code-cache.ts";
import { LONGEST_INSTRUCTION, type Instruction } from "./decode.ts";
import type { FunctionBody } from "./emit/module-writer.ts";
import { GuestCode } from "./guest-code.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { Handlers } from "./interpret/handlers.ts";
import { Interpreter } from "./interpret/interpreter.ts";
import { LONGEST_BLOCK } from "./interpret/records.ts";
import { AT_RIP, JUMP_BYTES } from "./layout.ts";
import { linkedModule } from "./linked-module.ts";
import { FETCH } from "./page-walk.ts";
import { findBlocks, type Profile } from "./region/graph.ts";
import { translate } from "./region/translate.ts";
import type { CpuModel } from "./runtime/cpu-model.ts";

const TWO_32 = 4294967296;
export interface TranslatorOptions {
  /** A block is compiled when it was interpreted so often; Infinity: never. */
  readonly hotRuns: number;
}

/**
 * A region is left now and then in its middle, and the interpreter goes on up to a place where one starts. So many times
 * more runs make such a middle worth a region of its own.
 */
const INNER_PATIENCE = 20;

export const DEFAULT_OPTIONS: TranslatorOptions = { hotRuns: 150 };

export class Translator {
  /** Mnemonics without a lowering and how often one was translated. */
  readonly unknown = new Map<string, number>();
  readonly statistics = { blocks: 0, interpreted: 0, regions: 0, instructions: 0, bytes: 0 };

  private readonly model: CpuModel;
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
  /** Addresses within regions where none starts. */
  private readonly innerBlocks = new Set<number>();
  /** Jump cache entries in use, as indexes of 32-bit words. */
  private usedEntries: number[] = [];
  /** Virtual pages with entries in the jump cache. */
  private readonly cachedPages = new Set<number>();

  constructor(
    model: CpuModel,
    ram: PhysicalMemory,
    memory: GuestMemory,
    base: BaseExports,
    imports: WebAssembly.Imports,
    options: TranslatorOptions = DEFAULT_OPTIONS,
  ) {
    this.model = model;
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
      model,
      reserve: () => this.reserve(),
      install: (functions, slots) => this.install(functions, slots),
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
    translation ??= this.interpret(address);
    if (!translation) return false;
    this.use(address, translation);
    return true;
  }

  /** The interpreter met a block that runs often: compiles what belongs to it. */
  promote(low: number, high: number): void {
    const address = (high >>> 0) * TWO_32 + (low >>> 0);
    if (this.innerBlocks.delete(address)) {
      const pfn = this.fetch(low, high);
      const block = pfn < 0 ? undefined : this.cache.find(address, pfn);
      if (block?.compiled !== false) return;
      this.interpreter.setCounter(block.entries.get(address)!, this.options.hotRuns * INNER_PATIENCE);
      return;
    }
    const region = this.compile(address);
    if (region) this.use(address, region);
  }

  /** Executes the one instruction at RIP; returns its status, or -1 when fetching it faults. */
  step(low: number, high: number): number {
    const address = (high >>> 0) * TWO_32 + (low >>> 0);
    const code = new GuestCode(this.ram, this.memory);
    const instruction = code.read(address);
    code.dispose();
    if (!instruction) return -1;
    const record = this.interpreter.writeStep(instruction);
    const handler = this.base.table.get(this.interpreter.handlerOf(record)) as (record: number) => number;
    const result = handler(record);
    if (result !== 0) return result - 1;
    this.setRip(address + instruction.length);
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

  private install(functions: readonly FunctionBody[], slots: readonly number[]): void {
    const binary = linkedModule(functions);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), this.imports);
    slots.forEach((slot, i) => this.base.table.set(slot, exports[`f${i}`]));
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
  private interpret(address: number): Translation | undefined {
    const code = new GuestCode(this.ram, this.memory);
    try {
      const instructions = this.decode(code, address);
      if (instructions.length === 0) return undefined;
      let block = this.interpreter.write(instructions, this.options.hotRuns);
      if (block === undefined) {
        this.cache.clear(false);
        this.flushJumps();
        this.interpreter.clear();
        block = this.interpreter.write(instructions, this.options.hotRuns)!;
      }
      const last = instructions.at(-1)!;
      const pieces = code.pieces(address, last.address + last.length - address);
      const translation = {
        slot: this.interpretSlot,
        entries: new Map([[address, block]]),
        pieces,
        compiled: false,
        valid: false,
      };
      this.cache.add(translation);
      this.statistics.blocks++;
      this.statistics.interpreted += instructions.length;
      return translation;
    } finally {
      code.dispose();
    }
  }

  /** Instructions from an address on, up to a branch, within the page. One that crosses stands alone. */
  private decode(code: GuestCode, address: number): Instruction[] {
    const instructions: Instruction[] = [];
    const end = pageOf(address) + PAGE_SIZE;
    for (let at = address; instructions.length < LONGEST_BLOCK && at < end;) {
      const rest = end - at;
      if (instructions.length > 0 && rest < LONGEST_INSTRUCTION) break;
      const instruction = code.read(at);
      if (!instruction) break;
      instructions.push(instruction);
      if (instruction.flow !== "next") break;
      at += instruction.length;
    }
    return instructions;
  }

  private compile(address: number): Translation | undefined {
    const code = new GuestCode(this.ram, this.memory);
    try {
      const blocks = findBlocks(this.profile(code), address);
      if (blocks.length === 0) return undefined;
      const body = translate(blocks, {
        layout: this.memory.layout,
        model: this.model,
        onUnknown: (instruction) => this.noteUnknown(instruction),
      });
      const slot = this.reserve();
      this.install([body], [slot]);
      this.statistics.regions++;
      const pieces = blocks.flatMap(({ start, instructions }) => {
        const last = instructions.at(-1)!;
        this.statistics.instructions += instructions.length;
        if (start !== address) this.innerBlocks.add(start);
        return code.pieces(start, last.address + last.length - start);
      });
      const region = { slot, entries: new Map([[address, 0]]), pieces, compiled: true, valid: false };
      this.cache.add(region);
      return region;
    } finally {
      code.dispose();
    }
  }

  private profile(code: GuestCode): Profile {
    const find = (address: number): Translation | undefined => {
      const pfn = code.frameOf(pageOf(address));
      return pfn < 0 ? undefined : this.cache.find(address, pfn);
    };
    return {
      read: (address) => code.read(address),
      reached: (address) => find(address) !== undefined,
      compiled: (address) => find(address)?.compiled === true,
    };
  }
}
