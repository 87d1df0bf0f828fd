/**
 * Where the engine keeps its things in guest-physical RAM. Frame 0, which the kernel never hands out, begins with the
 * register file (registers.ts), so that kernel and generated code see the same bytes at constant addresses; behind it
 * lies the state only the engine knows. The translation tables take a few consecutive frames.
 */
import { PAGE_SIZE, type PhysicalMemory } from "../physical-memory.ts";
import { CPU_ENGINE_OFFSET, FS_BASE, GS_BASE, RFLAGS, RIP } from "../registers.ts";

export const AT_RIP = RIP * 8;
export const AT_RFLAGS = RFLAGS * 8;
export const AT_FS_BASE = FS_BASE * 8;
export const AT_GS_BASE = GS_BASE * 8;

/** The `Stop` record. */
export const AT_STOP_VECTOR = CPU_ENGINE_OFFSET + 4;
export const AT_STOP_ADDRESS = CPU_ENGINE_OFFSET + 8;
export const AT_STOP_ERROR = CPU_ENGINE_OFFSET + 16;
export const AT_STOP_KIND = CPU_ENGINE_OFFSET;
export const AT_STOP_EXECUTED = CPU_ENGINE_OFFSET + 20;
/** Budget units left. */
export const AT_BUDGET = CPU_ENGINE_OFFSET + 24;

/** The lazily evaluated status flags (flags.ts). */
export const AT_CC_OP = 768;
export const AT_CC_A = 776;
export const AT_CC_B = 784;
export const AT_CC_R = 792;
export const AT_MXCSR = 800;
/** A register that is always zero: the base of operands without one. */
export const AT_ZERO = 816;
/** Guest calls under way as calls of WebAssembly functions. */
export const AT_DEPTH = 824;
/** An access that crosses a page is assembled here (guest-memory.ts), up to 1024 bytes. */
export const AT_BOUNCE = 2048;
/** Upper halves of YMM0 to YMM15, `cpu.ymmHigh` of the kernel. */
export const AT_YMM_HIGH = 3072;
/** Not 0: a vector helper met an exception that MXCSR does not mask. */
export const AT_VECTOR_TRAP = 3328;
export const AT_XMM = 1024;
/** Eight physical x87 registers, 16 bytes each; control, status (without TOP), TOP and a mask of the used ones. */
export const AT_X87 = 1280;
export const AT_X87_CONTROL = 1408;
export const AT_X87_STATUS = 1412;
export const AT_X87_TOP = 1416;
export const AT_X87_USED = 1420;
/** 128-bit operands of helpers. */
export const AT_SCRATCH = 1536;

/**
 * Entries of a data TLB: tag (page address, 8 bytes), physical page address (4), and the window around it (windows.ts):
 * pages before (1) and behind (1), generation (2, 0 is none).
 */
export const TLB_ENTRIES = 1024;
export const TLB_BYTES = TLB_ENTRIES * 16;
/** Places of the window last used (windows.ts), one for each base register of a region (region/sites.ts). */
export const SITE_ENTRIES = 2048;
export const SITE_SIZE = 64;
export const SITE_BYTES = SITE_ENTRIES * SITE_SIZE;
/**
 * The start of an empty place: a page that is not canonical. It leads to an empty frame, and no program can know it: it is
 * another one for every engine. Loading Node's crypto for its random numbers would take 10 ms.
 */
export function unknownPage(): bigint {
  const [low, high] = [Math.floor(Math.random() * 4294967296), Math.floor(Math.random() * 4294967296)];
  const page = (BigInt(high) << 32n) | BigInt(low & ~4095);
  // Bits 47 and 48 differ.
  return (page & ~(3n << 47n)) | (1n << 47n);
}
/** Instructions executed, where they are counted (8 bytes). */
export const AT_INSTRUCTIONS = 840;
/** How many places are in use. */
export const AT_SITES_USED = 832;
/** The number of the generation of windows. */
export const AT_GENERATION = 836;

/** Entries of the jump cache: virtual address (8), table index (4), block number (4). */
const JUMP_ENTRIES = { usual: 65536, inLittleRam: 4096 };
/** Engines with so much RAM or more have tables of the same size. */
export const LITTLE_RAM = 64 * 1024 * 1024;

/** Physical addresses of the tables. */
export interface Layout {
  readonly readTlb: number;
  readonly writeTlb: number;
  readonly jumpCache: number;
  readonly jumpEntries: number;
  /** Places for reading, for writing, and the list of those in use. */
  readonly readSites: number;
  readonly writeSites: number;
  readonly usedSites: number;
  /** A frame with nothing in it. */
  readonly nothing: number;
  /** The interpreter's blocks (interpret/records.ts). */
  readonly records: number;
  readonly recordBytes: number;
  readonly frames: readonly number[];
}

const USED_BYTES = 2 * SITE_ENTRIES * 4;
/** Frames for the interpreter's blocks: a part of RAM, within these bounds. */
const RECORD_SHARE = 1 / 32;
const RECORD_FRAMES = { least: 16, most: 4096 };

/** Takes consecutive frames for the tables. Throws a RangeError when RAM has none. */
export function reserveTables(memory: PhysicalMemory): Layout {
  const share = Math.floor(memory.frameCount * RECORD_SHARE);
  const recordFrames = Math.max(RECORD_FRAMES.least, Math.min(RECORD_FRAMES.most, share));
  const jumpEntries = JUMP_ENTRIES[memory.frameCount * PAGE_SIZE < LITTLE_RAM ? "inLittleRam" : "usual"];
  const jumpBytes = jumpEntries * 16;
  const tables = (2 * TLB_BYTES + jumpBytes + 2 * SITE_BYTES + USED_BYTES + PAGE_SIZE) / PAGE_SIZE;
  const count = tables + recordFrames;
  let run: number[] = [];
  const rest: number[] = [];
  while (run.length < count) {
    const pfn = memory.allocate();
    if (pfn === 0) break;
    if (run.length > 0 && pfn !== run.at(-1)! + 1) {
      rest.push(...run);
      run = [];
    }
    run.push(pfn);
  }
  for (const pfn of rest) memory.release(pfn);
  if (run.length < count) {
    for (const pfn of run) memory.release(pfn);
    throw new RangeError("not enough RAM for the engine's own tables");
  }
  const readTlb = run[0]! * PAGE_SIZE;
  const sites = readTlb + 2 * TLB_BYTES + jumpBytes;
  return {
    readTlb,
    writeTlb: readTlb + TLB_BYTES,
    jumpCache: readTlb + 2 * TLB_BYTES,
    jumpEntries,
    readSites: sites,
    writeSites: sites + SITE_BYTES,
    usedSites: sites + 2 * SITE_BYTES,
    nothing: sites + 2 * SITE_BYTES + USED_BYTES,
    records: readTlb + tables * PAGE_SIZE,
    recordBytes: recordFrames * PAGE_SIZE,
    frames: run,
  };
}

/** Pages of 64 KiB that any memory has which holds the tables. */
export const leastMemory = ({ records }: Layout): number => Math.ceil(records / 65536);
