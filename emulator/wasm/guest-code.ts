/** Guest code as the translators read it: instructions by virtual address, across pages. */
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { pageOf, type Piece } from "./code-cache.ts";
import { CodeReader, INVALID, LONGEST_INSTRUCTION, type Instruction } from "./decode.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { FETCH } from "./page-walk.ts";

const TWO_32 = 4294967296;
/** So many bytes are given to the decoder at once. */
const WINDOW = 256;

/** The code of the current address space. Made for one translation: it keeps what it has looked up. */
export class GuestCode {
  private readonly ram: PhysicalMemory;
  private readonly memory: GuestMemory;
  private readonly frames = new Map<number, number>();
  private readonly readers: CodeReader[] = [];

  constructor(ram: PhysicalMemory, memory: GuestMemory) {
    this.ram = ram;
    this.memory = memory;
  }

  /** The frame of a page's code, or -1 where it cannot be fetched: then a fault is noted at the first byte wanted. */
  frameOf(page: number, first = page): number {
    let pfn = this.frames.get(page);
    if (pfn === undefined) {
      const [low, high] = [first % TWO_32, Math.floor(first / TWO_32)];
      pfn = this.memory.walker.translate(low, high, FETCH);
      if (pfn < 0) this.memory.noteFault(low, high);
      this.frames.set(page, pfn);
    }
    return pfn;
  }

  /** The instruction at an address; undefined where its bytes cannot be fetched. */
  read(address: number): Instruction | undefined {
    const page = pageOf(address);
    const pfn = this.frameOf(page, address);
    if (pfn < 0) return undefined;
    let reader = this.readers.find((known) => known.covers(address));
    if (!reader) {
      const host = pfn * PAGE_SIZE + (address % PAGE_SIZE);
      const size = Math.min(WINDOW, page + PAGE_SIZE - address);
      reader = new CodeReader(this.ram.u8.subarray(host, host + size), address);
      this.readers.unshift(reader);
    }
    const instruction = reader.read(address);
    if (instruction || page + PAGE_SIZE - address >= LONGEST_INSTRUCTION) return instruction;
    return this.readCrossing(address, page + PAGE_SIZE);
  }

  private readCrossing(address: number, next: number): Instruction | undefined {
    if (this.frameOf(next) < 0) return this.readInvalid(address, next);
    const reader = new CodeReader(this.bytes(address, next + LONGEST_INSTRUCTION + 1 - address), address);
    try {
      return reader.read(address);
    } finally {
      reader.dispose();
    }
  }

  /** An instruction that is none whatever follows at the end of the page does not want the next one. */
  private readInvalid(address: number, next: number): Instruction | undefined {
    const start = this.bytes(address, next - address);
    const guesses = [0, 0xc0].map((filler) => {
      const bytes = new Uint8Array(LONGEST_INSTRUCTION + 1).fill(filler);
      bytes.set(start);
      const reader = new CodeReader(bytes, address);
      const instruction = reader.read(address);
      reader.dispose();
      return instruction;
    });
    return guesses.every((guess) => guess?.mnemonic === INVALID) ? guesses[0] : undefined;
  }

  /** A copy of bytes whose pages can be fetched. */
  private bytes(address: number, size: number): Uint8Array {
    const out = new Uint8Array(size);
    for (let done = 0; done < size;) {
      const at = address + done;
      const part = Math.min(size - done, PAGE_SIZE - (at % PAGE_SIZE));
      const host = this.frameOf(pageOf(at)) * PAGE_SIZE + (at % PAGE_SIZE);
      out.set(this.ram.u8.subarray(host, host + part), done);
      done += part;
    }
    return out;
  }

  /** The bytes of some instructions that lie behind one another, page by page. */
  pieces(address: number, size: number): Piece[] {
    const pieces: Piece[] = [];
    for (let at = address; at < address + size;) {
      const end = Math.min(address + size, pageOf(at) + PAGE_SIZE);
      pieces.push({ address: at, pfn: this.frameOf(pageOf(at)), bytes: this.bytes(at, end - at) });
      at = end;
    }
    return pieces;
  }

  dispose(): void {
    for (const reader of this.readers) reader.dispose();
  }
}
