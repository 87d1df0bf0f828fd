/** Makes regions on demand and keeps the jump cache, through which the dispatcher finds them. */
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { jumpOffset, type BaseExports } from "./base-module.ts";
import { findBlocks, type Block } from "./blocks.ts";
import { CodeCache, type Region } from "./code-cache.ts";
import { CodeReader, restOfPage, type Instruction } from "./decode.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { JUMP_BYTES } from "./layout.ts";
import { FETCH } from "./page-walk.ts";
import type { CpuModel } from "./runtime/cpu-model.ts";
import { translate } from "./translate.ts";

const TWO_32 = 4294967296;
const LONGEST_INSTRUCTION = 15;

export class Translator {
  /** Mnemonics without a lowering and how often one was translated. */
  readonly unknown = new Map<string, number>();
  readonly statistics = { regions: 0, instructions: 0, bytes: 0 };

  private readonly model: CpuModel;
  private readonly ram: PhysicalMemory;
  private readonly memory: GuestMemory;
  private readonly base: BaseExports;
  private readonly imports: WebAssembly.Imports;
  private readonly regions: CodeCache;
  /** Single instructions by address and bytes: valid wherever those bytes stand at that address. */
  private readonly steps = new Map<string, (label: number) => number>();
  private readonly freeSlots: number[] = [];
  private nextSlot = 1;
  /** Virtual pages with entries in the jump cache. */
  private readonly cachedPages = new Set<number>();

  constructor(
    model: CpuModel,
    ram: PhysicalMemory,
    memory: GuestMemory,
    base: BaseExports,
    imports: WebAssembly.Imports,
  ) {
    this.model = model;
    this.ram = ram;
    this.memory = memory;
    this.base = base;
    this.imports = imports;
    this.regions = new CodeCache(ram.u8);
    this.regions.onRemove = (slot) => this.freeSlots.push(slot);
    this.cachedPages.add(-1);
    this.flushJumps();
  }

  /** Makes the dispatcher know a translation at RIP. False: fetching it faults, and the stop is filled in. */
  provide(low: number, high: number): boolean {
    const pfn = this.fetch(low, high);
    if (pfn < 0) return false;
    const address = (high >>> 0) * TWO_32 + (low >>> 0);
    let region = this.regions.find(address, pfn);
    if (region && region.secondPfn !== 0) {
      const second = this.fetchNextPage(address);
      if (second < 0) return false;
      if (second !== region.secondPfn) region = undefined;
    }
    region ??= this.make(address, pfn);
    if (!region) return false;
    if (!region.valid) this.validate(region);
    this.remember(address, region);
    return true;
  }

  /** Executes the one instruction at RIP; returns its status, or -1 when fetching it faults. */
  step(low: number, high: number): number {
    const pfn = this.fetch(low, high);
    if (pfn < 0) return -1;
    const address = (high >>> 0) * TWO_32 + (low >>> 0);
    const code = this.instructionBytes(address, pfn);
    if (!code) return -1;
    const key = `${address}:${code.bytes.join()}`;
    let step = this.steps.get(key);
    if (!step) {
      if (this.steps.size > 5000) this.steps.clear();
      step = this.compile([{ start: address, instructions: [code.instruction] }], code.bytes);
      this.steps.set(key, step);
    }
    return step(0);
  }

  /** The bytes of a frame have changed. */
  invalidateFrame(pfn: number): void {
    if (!this.regions.invalidate(pfn)) return;
    if (this.memory.codeFrames[pfn] === 0) return;
    this.memory.codeFrames[pfn] = 0;
    this.flushJumps();
  }

  flushJumps(): void {
    if (this.cachedPages.size === 0) return;
    this.cachedPages.clear();
    const { jumpCache } = this.memory.layout;
    this.ram.u8.fill(0, jumpCache, jumpCache + JUMP_BYTES);
    // Address 0 belongs to entry 0, so a zero key is invalid everywhere else.
    this.ram.u32[jumpCache / 4] = 1;
  }

  flushJumpsOf(address: number): void {
    const page = address - (address % PAGE_SIZE);
    if (this.cachedPages.has(page) || this.cachedPages.has(page - PAGE_SIZE)) this.flushJumps();
  }

  private fetch(low: number, high: number): number {
    const pfn = this.memory.walker.translate(low >>> 0, high >>> 0, FETCH);
    if (pfn < 0) this.memory.noteFault(low, high);
    return pfn;
  }

  private fetchNextPage(address: number): number {
    const next = address - (address % PAGE_SIZE) + PAGE_SIZE;
    return this.fetch(next % TWO_32, Math.floor(next / TWO_32));
  }

  private validate(region: Region): void {
    region.valid = true;
    for (const pfn of [region.pfn, region.secondPfn]) if (pfn !== 0) this.memory.protect(pfn);
  }

  private remember(address: number, region: Region): void {
    const slot = (this.memory.layout.jumpCache + jumpOffset(address)) / 4;
    const { u32 } = this.ram;
    u32[slot] = address % TWO_32;
    u32[slot + 1] = Math.floor(address / TWO_32);
    u32[slot + 2] = region.slot;
    u32[slot + 3] = region.entries.get(address)!;
    this.cachedPages.add(address - (address % PAGE_SIZE));
  }

  private make(address: number, pfn: number): Region | undefined {
    const page = address - (address % PAGE_SIZE);
    const bytes = this.ram.u8.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
    const reader = new CodeReader(bytes, page);
    let blocks: Block[];
    try {
      blocks = findBlocks(reader, address, (other) => this.regions.find(other, pfn) !== undefined);
    } finally {
      reader.dispose();
    }
    if (blocks.length === 0) return this.makeCrossing(address, pfn);
    const pieces = blocks.map(({ start, instructions }) => {
      const last = instructions.at(-1)!;
      return { address: start, bytes: bytes.slice(start - page, last.address + last.length - page) };
    });
    return this.install(blocks, pieces, { page, pfn, secondPfn: 0 });
  }

  /** A region of the one instruction that crosses into the next page. */
  private makeCrossing(address: number, pfn: number): Region | undefined {
    const code = this.instructionBytes(address, pfn);
    if (!code) return undefined;
    const blocks = [{ start: address, instructions: [code.instruction] }];
    const pieces = [{ address, bytes: code.bytes }];
    return this.install(blocks, pieces, { page: address - (address % PAGE_SIZE), pfn, secondPfn: code.secondPfn });
  }

  /** Decodes the instruction at an address with the next page behind it if needed. Undefined: a fetch fault is noted. */
  private instructionBytes(
    address: number,
    pfn: number,
  ): { instruction: Instruction; bytes: Uint8Array; secondPfn: number } | undefined {
    const host = pfn * PAGE_SIZE + (address % PAGE_SIZE);
    const rest = Math.min(restOfPage(address), LONGEST_INSTRUCTION);
    const first = decodeOne(this.ram.u8.slice(host, host + rest), address);
    if (first) return { instruction: first, bytes: this.ram.u8.slice(host, host + first.length), secondPfn: 0 };
    const secondPfn = this.fetchNextPage(address);
    if (secondPfn < 0) return undefined;
    const bytes = new Uint8Array(LONGEST_INSTRUCTION + 1);
    bytes.set(this.ram.u8.subarray(host, host + rest));
    bytes.set(this.ram.u8.subarray(secondPfn * PAGE_SIZE, secondPfn * PAGE_SIZE + bytes.length - rest), rest);
    const instruction = decodeOne(bytes, address)!;
    return { instruction, bytes: bytes.slice(0, Math.max(instruction.length, rest + 1)), secondPfn };
  }

  private install(
    blocks: readonly Block[],
    pieces: Region["pieces"],
    place: Pick<Region, "page" | "pfn" | "secondPfn">,
  ): Region {
    const run = this.compile(blocks, pieces[0]!.bytes);
    const slot = this.freeSlots.pop() ?? this.nextSlot++;
    if (slot >= this.base.table.length) this.base.table.grow(Math.max(256, this.base.table.length));
    this.base.table.set(slot, run);
    const entries = new Map(blocks.map((block, i) => [block.start, i]));
    const region: Region = { slot, entries, pieces, ...place, valid: false };
    this.regions.add(region);
    return region;
  }

  private compile(blocks: readonly Block[], bytes: Uint8Array): (label: number) => number {
    const { statistics } = this;
    const binary = translate(blocks, {
      layout: this.memory.layout,
      model: this.model,
      onUnknown: ({ mnemonic }) => this.unknown.set(mnemonic, (this.unknown.get(mnemonic) ?? 0) + 1),
    });
    statistics.regions++;
    statistics.bytes += binary.length;
    for (const block of blocks) statistics.instructions += block.instructions.length;
    try {
      const module = new WebAssembly.Module(binary);
      const instance = new WebAssembly.Instance(module, this.imports);
      return instance.exports.region as (label: number) => number;
    } catch (error) {
      const text = blocks.map(({ start, instructions }) =>
        [start.toString(16), ...instructions.map((instruction) => instruction.form)].join(" "),
      );
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      throw new Error(`bad code was generated for ${text.join("; ")} (${hex}): ${String(error)}`, { cause: error });
    }
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
