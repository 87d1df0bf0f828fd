/**
 * Guest-physical RAM: one `WebAssembly.Memory` cut into frames of 4 KiB, so that every engine can work on the same
 * bytes. The kernel allocates frames and counts the references to them; engines only read and write the bytes.
 */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;

export class PhysicalMemory {
  /** For engines that are WebAssembly themselves. */
  readonly memory: WebAssembly.Memory;
  readonly buffer: ArrayBuffer;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  /** Number of frames, frame 0 included. Frame 0 is never handed out, so 0 can mean "none". */
  readonly frameCount: number;

  /** Frames not in use. */
  freeFrames: number;

  private readonly references: Uint32Array;
  private readonly freeStack: Uint32Array;
  private freeStackTop = 0;
  /** Frames from here on were never used and are zero. */
  private fresh = 1;

  /** @param size bytes of RAM, a multiple of 64 KiB, at most 4 GiB - 64 KiB */
  constructor(size: number) {
    if (!Number.isInteger(size) || size < 65536 || size % 65536 !== 0 || size > 4294901760) {
      throw new RangeError(`RAM size must be a multiple of 64 KiB below 4 GiB, not ${size}`);
    }
    this.memory = new WebAssembly.Memory({ initial: size / 65536, maximum: size / 65536 });
    this.buffer = this.memory.buffer as ArrayBuffer;
    this.u8 = new Uint8Array(this.buffer);
    this.u16 = new Uint16Array(this.buffer);
    this.u32 = new Uint32Array(this.buffer);
    this.i32 = new Int32Array(this.buffer);
    this.view = new DataView(this.buffer);
    this.frameCount = size / PAGE_SIZE;
    this.freeFrames = this.frameCount - 1;
    this.references = new Uint32Array(this.frameCount);
    this.freeStack = new Uint32Array(this.frameCount);
  }

  /** Takes a frame with one reference and undefined contents; 0 when none is left. */
  allocate(): number {
    let pfn: number;
    if (this.freeStackTop > 0) pfn = this.freeStack[--this.freeStackTop]!;
    else if (this.fresh < this.frameCount) pfn = this.fresh++;
    else return 0;
    this.references[pfn] = 1;
    this.freeFrames--;
    return pfn;
  }

  /** Takes a frame full of zeros with one reference; 0 when none is left. */
  allocateZeroed(): number {
    const untouched = this.freeStackTop === 0;
    const pfn = this.allocate();
    if (pfn !== 0 && !untouched) this.u8.fill(0, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
    return pfn;
  }

  /** Adds a reference. */
  retain(pfn: number): void {
    this.references[pfn]!++;
  }

  /** Gives a reference back; the last one frees the frame. */
  release(pfn: number): void {
    const left = this.references[pfn]! - 1;
    if (left < 0) throw new Error(`frame ${pfn} released more often than retained`);
    this.references[pfn] = left;
    if (left === 0) {
      this.freeStack[this.freeStackTop++] = pfn;
      this.freeFrames++;
    }
  }

  /** References held on a frame, 0 for a free one. */
  referenceCount(pfn: number): number {
    return this.references[pfn]!;
  }

  copyFrame(from: number, to: number): void {
    this.u8.copyWithin(to * PAGE_SIZE, from * PAGE_SIZE, (from + 1) * PAGE_SIZE);
  }
}
