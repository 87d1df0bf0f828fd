/**
 * Finds translations for addresses and keeps the jump cache, through which the dispatcher finds them again. Code is
 * interpreted first; what runs often is compiled.
 */
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { jumpOffset, type BaseExports } from "./base-module.ts";
import { Archive, keyPrefix, readHandlers } from "./cache/archive.ts";
import type { SavedRegion } from "./cache/saved-page.ts";
import type { KeptModules } from "./cache/kept-modules.ts";
import type { TranslationStore } from "./cache/translation-store.ts";
import type { FunctionTable } from "./function-table.ts";
import { CodeCache, pageOf, pagesOf, type Piece, type Translation } from "./code-cache.ts";
import { INVALID, LONGEST_INSTRUCTION, TOO_LONG, type Instruction } from "./decode.ts";
import type { FunctionBody } from "./emit/module-writer.ts";
import { STATUS_CHAIN, STATUS_DISPATCH } from "./context.ts";
import { HANDLED } from "./interpret/handler-context.ts";
import { GuestCode } from "./guest-code.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { Handlers } from "./interpret/handlers.ts";
import { Interpreter } from "./interpret/interpreter.ts";
import { LONGEST_BLOCK, RECORD_BYTES } from "./interpret/records.ts";
import { AT_RIP, type Layout } from "./layout.ts";
import { linkedModule, placedModule } from "./linked-module.ts";
import { FETCH } from "./page-walk.ts";
import { findBlocks, SIZE_ASIDE, USUAL_SIZE, type Block, type Profile } from "./region/graph.ts";
import { translate } from "./region/translate.ts";
import type { CpuModel } from "./runtime/cpu-model.ts";

const TWO_32 = 4294967296;
export interface TranslatorOptions {
  readonly model: CpuModel;
  readonly countInstructions: boolean;
  /** Floating point by helpers that mind MXCSR (runtime/strict-float.ts). */
  readonly strictFloat: boolean;
  /** Where translations are kept between runs. */
  readonly store: TranslationStore | undefined;
  /** Where modules come from that are kept between runs. */
  readonly modules: KeptModules;
  /** Where handlers are found that the store does not have. */
  readonly commonHandlers: Pick<TranslationStore, "get"> | undefined;
  /** A block is compiled when it was interpreted so often; Infinity: never. */
  readonly hotRuns: number;
}

/** So many regions are compiled in one module: V8 takes 0.1 to 0.3 ms for every module (notes/wasm-jit.md, section 4). */
const BATCH = 6;
/** Then all are forgotten: V8 keeps about 20 KB for each. */
const MOST_REGIONS = 20_000;

export const USUAL_HOT_RUNS = 2000;
/** The share of what makes a block hot that makes it count as reached. */
const REACHED_SHARE = 1 / 64;

export class Translator {
  /** Mnemonics without a lowering and how often one was translated. */
  readonly unknown = new Map<string, number>();
  readonly statistics = {
    blocks: 0,
    interpreted: 0,
    regions: 0,
    instructions: 0,
    bytes: 0,
    handlerBytes: 0,
    refused: 0,
    restored: 0,
  };
  /** What the host said when it refused a module last: V8 out of memory for code, or a mistake in our own code. */
  refusal: unknown;

  private readonly ram: PhysicalMemory;
  private readonly memory: GuestMemory;
  private readonly table: FunctionTable;
  private readonly imports: WebAssembly.Imports;
  private readonly options: TranslatorOptions;
  private readonly cache: CodeCache;
  private readonly handlers: Handlers;
  private readonly interpreter: Interpreter;
  private readonly interpretSlot: number;
  /** A block that has run less often is left out of regions. */
  private readonly reachedRuns: number;
  private readonly archive: Archive | undefined;
  private readonly prefix: string;
  private readonly regions = new Set<Translation>();
  /** Functions of modules of earlier runs. */
  private readonly loaded = new Map<string, WebAssembly.Exports>();
  /** Addresses within regions where none starts. */
  private readonly innerBlocks = new Set<number>();
  /** Those at which control has come into a region's middle. */
  private readonly aside = new Set<number>();
  /** Jump cache entries in use, as indexes of 32-bit words. */
  private usedEntries: number[] = [];
  /** Virtual pages whose code the jump cache leads to, with their frames. */
  private readonly cachedPages = new Map<number, number>();
  /** Pages may have been mapped differently since. */
  private doubtful = false;
  /** Addresses of blocks that wait for others to be compiled with. */
  private readonly hot: number[] = [];

  constructor(
    ram: PhysicalMemory,
    memory: GuestMemory,
    base: BaseExports,
    table: FunctionTable,
    imports: WebAssembly.Imports,
    options: TranslatorOptions,
  ) {
    this.ram = ram;
    this.memory = memory;
    this.table = table;
    this.imports = imports;
    this.options = options;
    this.prefix = keyPrefix(memory.layout, options);
    this.reachedRuns = Math.floor(options.hotRuns * REACHED_SHARE);
    this.cache = new CodeCache(ram.u8);
    this.cache.onRemove = (region) => {
      this.regions.delete(region);
      table.release(region.slot);
    };
    this.interpretSlot = table.reserve();
    table.set(this.interpretSlot, base.interpret);
    this.handlers = new Handlers({
      layout: memory.layout,
      model: options.model,
      strictFloat: options.strictFloat,
      makeRoom: () => this.forgetRegions(),
      reserve: () => table.reserve(),
      install: (functions, slots) => this.installHandlers(functions, slots),
      onUnknown: (instruction) => this.noteUnknown(instruction),
    });
    this.interpreter = new Interpreter(ram, recordsFor(memory.layout, options.strictFloat), this.handlers);
    const { store, commonHandlers } = options;
    const { prefix } = this;
    if (store) this.archive = new Archive(base.hashPage, store, prefix);
    const install = (functions: readonly FunctionBody[], slots: readonly number[]): void =>
      this.installKeptHandlers(functions, slots);
    this.handlers.restoreCommon(readHandlers(commonHandlers, prefix) ?? [], install);
    this.handlers.restore(readHandlers(store, prefix) ?? [], install);
    const { jumpCache, jumpEntries } = memory.layout;
    if (options.strictFloat) return;
    ram.u8.fill(0, jumpCache, jumpCache + jumpEntries * 16);
    // Address 0 belongs to entry 0, so a zero key is invalid everywhere else.
    ram.u32[jumpCache / 4] = 1;
  }

  /** Makes the dispatcher know a translation at RIP. False: fetching it faults, and the stop is filled in. */
  provide(low: number, high: number): boolean {
    const pfn = this.fetch(low, high);
    if (pfn < 0) return false;
    const address = addressOf(low, high);
    let translation = this.cache.find(address, pfn);
    if (translation && translation.pages.size > 1 && !this.isMapped(translation.pages)) translation = undefined;
    translation ??= this.restore(address, pfn) ?? this.interpret(address);
    if (!translation) return false;
    this.use(address, translation);
    return true;
  }

  /** Whether a region starts at RIP, as far as the dispatcher knows. */
  isCompiled(low: number, high: number): boolean {
    const { u32 } = this.ram;
    const entry = this.jumpEntry(addressOf(low, high));
    return u32[entry] === low && u32[entry + 1] === high && u32[entry + 2] !== this.interpretSlot;
  }

  /**
   * The interpreter met a block that runs often: compiles what belongs to it. What lies in the middle of a region has to
   * do so twice: regions are left there now and then, and come back to a place where one starts.
   */
  promote(low: number, high: number): void {
    const address = addressOf(low, high);
    if (this.innerBlocks.delete(address)) {
      this.aside.add(address);
      this.rearm(address, this.options.hotRuns - this.reachedRuns);
      return;
    }
    if (this.hot.length + 1 < BATCH && !this.hot.includes(address)) {
      this.hot.push(address);
      this.rearm(address, Math.ceil(this.options.hotRuns / 2));
    } else this.compile([...new Set([...this.hot.splice(0), address])]);
  }

  /** Lets the interpreter run a block so often before it is promoted again. */
  private rearm(address: number, runs: number): void {
    const pfn = this.fetch(address % TWO_32, Math.floor(address / TWO_32));
    const block = pfn < 0 ? undefined : this.cache.find(address, pfn);
    if (block?.compiled === false) this.interpreter.setCounter(block.entries.get(address)!, runs);
  }

  /** Executes the one instruction at RIP; returns its status, or -1 when fetching it faults. */
  step(low: number, high: number): number {
    const address = addressOf(low, high);
    const code = new GuestCode(this.ram, this.memory);
    const instruction = code.read(address);
    code.dispose();
    if (!instruction) return -1;
    const record = this.interpreter.writeStep(instruction);
    const handler = this.table.get(this.interpreter.handlerOf(record)) as (record: number) => number;
    const result = handler(record);
    if (result !== HANDLED) return result - 1 === STATUS_CHAIN ? STATUS_DISPATCH : result - 1;
    this.setRip(address + instruction.length);
    return STATUS_DISPATCH;
  }

  /** The bytes of a frame have changed. The jump cache has to be flushed when the frame held code. */
  invalidateFrame(pfn: number): void {
    this.archive?.forget(pfn);
    this.cache.invalidate(pfn);
  }

  flushJumps(): void {
    if (this.usedEntries.length === 0) return;
    const { u32 } = this.ram;
    const first = this.memory.layout.jumpCache / 4;
    for (const entry of this.usedEntries) {
      u32[entry] = entry === first ? 1 : 0;
      u32[entry + 1] = 0;
      u32[entry + 2] = 0;
    }
    this.usedEntries = [];
    this.cachedPages.clear();
  }

  /** The page tables have changed: what is in the jump cache holds if its pages are still where they were. */
  doubtJumps(): void {
    this.doubtful = true;
  }

  /** To be called before translations run. */
  settleDoubts(): void {
    if (!this.doubtful) return;
    this.doubtful = false;
    if (!this.isMapped(this.cachedPages)) this.flushJumps();
  }

  private installHandlers(functions: readonly FunctionBody[], slots: readonly number[]): void {
    const binary = linkedModule(functions, this.memory.layout);
    this.place(new WebAssembly.Instance(new WebAssembly.Module(binary), this.imports).exports, slots);
    this.statistics.handlerBytes += binary.length;
  }

  /** Many handlers at once, which come in the same order and places in every run that has them. */
  private installKeptHandlers(functions: readonly FunctionBody[], slots: readonly number[]): void {
    const name = `${this.prefix}-handlers-${slots[0]}`;
    const binary = placedModule(functions, slots, this.memory.layout);
    this.options.modules.instantiate(name, binary, this.imports, () => slots.map((slot) => this.table.get(slot)));
  }

  /** Puts regions into the table; returns the name of their module, which no other has. */
  private installRegions(functions: readonly FunctionBody[], slots: readonly number[]): string {
    const binary = linkedModule(functions, this.memory.layout);
    const name = `regions-${randomWord()}${randomWord()}`;
    this.place(this.options.modules.add(name, binary, this.imports), slots);
    this.statistics.bytes += binary.length;
    return name;
  }

  private place(exports: WebAssembly.Exports, slots: readonly number[]): void {
    slots.forEach((slot, i) => this.table.set(slot, exports[`f${i}`]));
  }

  /** Where the host has no room for more code, or refuses it, the interpreter goes on alone. */
  private tryInstall(made: readonly { body: FunctionBody; region: Translation }[]): string | undefined {
    const bodies = made.map(({ body }) => body);
    const slots = made.map(({ region }) => region.slot);
    let name: string | undefined;
    const done = this.refusing(() => void (name = this.installRegions(bodies, slots)));
    if (!done) for (const slot of slots) this.table.release(slot);
    return name;
  }

  /** Whether a step of compiling went well; what went wrong is noted. */
  private refusing(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      this.statistics.refused++;
      this.refusal = error;
      return false;
    }
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

  /** Whether code pages are mapped to these frames. */
  private isMapped(pages: ReadonlyMap<number, number>): boolean {
    for (const [page, pfn] of pages) {
      if (this.memory.walker.translate(page % TWO_32, Math.floor(page / TWO_32), FETCH) !== pfn) return false;
    }
    return true;
  }

  /** Index in RAM's words of the jump cache's entry for an address. */
  private jumpEntry(address: number): number {
    const { layout } = this.memory;
    return (layout.jumpCache + jumpOffset(address, layout)) / 4;
  }

  /** Puts a translation into the jump cache. */
  private use(address: number, translation: Translation): void {
    if (!translation.valid) {
      translation.valid = true;
      for (const pfn of translation.pages.values()) this.memory.protect(pfn);
    }
    const entry = this.jumpEntry(address);
    const { u32 } = this.ram;
    if (u32[entry + 2] === 0) this.usedEntries.push(entry);
    u32[entry] = address % TWO_32;
    u32[entry + 1] = Math.floor(address / TWO_32);
    u32[entry + 2] = translation.slot;
    u32[entry + 3] = translation.entries.get(address)!;
    for (const [page, pfn] of translation.pages) this.cachedPages.set(page, pfn);
  }

  /** A new block for the interpreter. Undefined: fetching its first instruction faults. */
  private interpret(address: number): Translation | undefined {
    const code = new GuestCode(this.ram, this.memory);
    try {
      const instructions = this.decode(code, address);
      if (instructions.length === 0) return undefined;
      let block = this.interpreter.write(instructions, this.options.hotRuns);
      if (block === undefined) {
        this.cache.forgetBlocks();
        this.flushJumps();
        this.interpreter.clear();
        block = this.interpreter.write(instructions, this.options.hotRuns)!;
      }
      const size = endOf(instructions.at(-1)!) - address;
      const pieces = code.pieces(address, size);
      const saved = pieces.length === 1 ? this.archive?.page(pageOf(address), pieces[0]!.pfn) : undefined;
      saved?.addBlock(this.interpreter.save(block, address, size, instructions));
      this.statistics.interpreted += instructions.length;
      return this.addBlock(address, block, pieces);
    } finally {
      code.dispose();
    }
  }

  private addBlock(address: number, block: number, pieces: readonly Piece[]): Translation {
    const translation = {
      slot: this.interpretSlot,
      entries: new Map([[address, block]]),
      pieces,
      pages: pagesOf(pieces),
      compiled: false,
      valid: false,
    };
    this.cache.add(translation);
    this.statistics.blocks++;
    return translation;
  }

  /** A translation of an earlier run. */
  private restore(address: number, pfn: number): Translation | undefined {
    const page = this.archive?.page(pageOf(address), pfn);
    if (!page) return undefined;
    const saved = page.regions.get(address);
    const region = saved && this.restoreRegion(saved);
    if (region) return region;
    const savedBlock = page.blocks.get(address);
    const block = savedBlock && this.interpreter.restore(savedBlock, this.options.hotRuns);
    if (block === undefined) return undefined;
    const host = pfn * PAGE_SIZE + (address % PAGE_SIZE);
    return this.addBlock(address, block, [{ address, pfn, bytes: this.ram.u8.slice(host, host + savedBlock!.size) }]);
  }

  /** A region of an earlier run, if its code is still the same. */
  private restoreRegion(saved: SavedRegion): Translation | undefined {
    const code = new GuestCode(this.ram, this.memory);
    const pieces = saved.pieces.map((piece) => ({ ...piece, pfn: code.frameOf(pageOf(piece.address)) }));
    code.dispose();
    if (pieces.some(({ pfn }) => pfn < 0)) return undefined;
    const { address } = saved;
    const region = regionAt(address, pieces, 0);
    if (!this.cache.isUnchanged(region)) return undefined;
    const translated = this.functionOf(saved);
    if (!translated) return undefined;
    const placed = { ...region, slot: this.table.reserve() };
    this.table.set(placed.slot, translated);
    this.regions.add(placed);
    this.cache.add(placed);
    this.statistics.restored++;
    return placed;
  }

  private functionOf({ module, index }: SavedRegion): unknown {
    let exports = this.loaded.get(module);
    if (exports === undefined) {
      exports = {};
      this.refusing(() => {
        exports = this.options.modules.load(module, this.imports) ?? {};
      });
      this.loaded.set(module, exports);
    }
    return exports[`f${index}`];
  }

  /** Makes the handler of an instruction before one of its form is met. */
  prepare(instruction: Instruction): void {
    this.interpreter.writeStep(instruction);
  }

  /** Keeps what was translated for later runs. */
  save(): void {
    this.archive?.save(this.handlers.newSaved());
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

  /** Compiles the regions that start at some addresses, in one module. */
  private compile(addresses: readonly number[]): void {
    if (this.regions.size > MOST_REGIONS) this.forgetRegions();
    const code = new GuestCode(this.ram, this.memory);
    try {
      const made: { address: number; body: FunctionBody; region: Translation }[] = [];
      for (const address of addresses) {
        // What has become part of another one meanwhile waits for its own turn.
        if (this.innerBlocks.has(address) && made.length > 0) continue;
        const blocks = findBlocks(this.profile(code), address, this.aside.has(address) ? SIZE_ASIDE : USUAL_SIZE);
        if (blocks.length > 0) this.refusing(() => made.push(this.translate(code, address, blocks)));
      }
      if (made.length === 0) return;
      const module = this.tryInstall(made);
      if (module === undefined) return;
      for (const [index, { address, region }] of made.entries()) {
        this.regions.add(region);
        this.cache.add(region);
        this.use(address, region);
        this.archive
          ?.page(pageOf(address), region.pages.get(pageOf(address))!)
          ?.addRegion({ address, pieces: region.pieces, module, index });
      }
    } finally {
      code.dispose();
    }
  }

  private translate(
    code: GuestCode,
    address: number,
    blocks: readonly Block[],
  ): { address: number; body: FunctionBody; region: Translation } {
    const { statistics } = this;
    const body = translate(blocks, {
      layout: this.memory.layout,
      model: this.options.model,
      countInstructions: this.options.countInstructions,
      strictFloat: this.options.strictFloat,
      seed: statistics.regions++,
      onUnknown: (instruction) => this.noteUnknown(instruction),
    });
    const pieces = blocks.flatMap(({ start, instructions, frame }) => {
      const last = instructions.at(-1)!;
      statistics.instructions += instructions.length;
      if (start !== address && !frame) this.innerBlocks.add(start);
      return code.pieces(start, endOf(last) - start);
    });
    return { address, body, region: regionAt(address, pieces, this.table.reserve()) };
  }

  private forgetRegions(): void {
    // V8 gives up the code of modules that nobody holds.
    this.options.modules.save();
    this.loaded.clear();
    for (const region of this.regions) this.cache.remove(region);
    this.flushJumps();
    this.innerBlocks.clear();
    this.aside.clear();
  }

  private profile(code: GuestCode): Profile {
    const find = (address: number): Translation | undefined => {
      const pfn = code.frameOf(pageOf(address));
      return pfn < 0 ? undefined : this.cache.find(address, pfn);
    };
    return {
      read: (address) => code.read(address),
      reached: (address) => {
        const found = find(address);
        if (!found || found.compiled) return found !== undefined;
        const left = this.interpreter.counter(found.entries.get(address)!);
        return this.options.hotRuns - left >= this.reachedRuns;
      },
      compiled: (address) => find(address)?.compiled === true,
      targets: (jump) => this.interpreter.targets(jump),
    };
  }
}

const regionAt = (address: number, pieces: readonly Piece[], slot: number): Translation => ({
  slot,
  entries: new Map([[address, 0]]),
  pieces,
  pages: pagesOf(pieces),
  compiled: true,
  valid: false,
});

const randomWord = (): string =>
  Math.floor(Math.random() * TWO_32)
    .toString(16)
    .padStart(8, "0");

/** An address from its halves, signed or not. */
const addressOf = (low: number, high: number): number => (high >>> 0) * TWO_32 + (low >>> 0);

/** Where the bytes end that an instruction depends on: all that were looked at of one that is none. */
function endOf({ mnemonic, address, length }: Instruction): number {
  if (mnemonic !== INVALID && mnemonic !== TOO_LONG) return address + length;
  return Math.min(address + LONGEST_INSTRUCTION, pageOf(address) + PAGE_SIZE);
}

/** The usual translator has most of the room for records, the strict one the rest. */
function recordsFor({ records, recordBytes }: Layout, strict: boolean): { records: number; recordBytes: number } {
  const usual = Math.floor((recordBytes * 3) / 4 / RECORD_BYTES) * RECORD_BYTES;
  return strict ? { records: records + usual, recordBytes: recordBytes - usual } : { records, recordBytes: usual };
}
