/**
 * Guest-physical RAM: one `WebAssembly.Memory` cut into frames of 4 KiB, so that every engine can work on the same
 * bytes. The kernel allocates frames and counts the references to them; engines only read and write the bytes.
 */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;

/**
 * Frames of a run, which starts at a multiple of so many. Pages that follow each other in an address space get frames that
 * do, too, where the kernel asks for it: engines find such windows faster (wasm/windows.ts).
 */
export const RUN_FRAMES = 64;

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
  /** Free frames, and some that have been taken out of a run since. */
  private readonly freeStack: Uint32Array;
  private freeStackTop = 0;
  private readonly stacked: Uint8Array;
  /** Frames from here on are free, and neither on the stack nor of a run. */
  private fresh = 1;
  /** Not 0 for free frames that were used once; all other free ones are zero. */
  private readonly used: Uint8Array;
  /** How many frames of each run are taken. */
  private readonly runUse: Uint8Array;
  /** Runs of which none was taken at some time, each of them once. */
  private readonly emptyRuns = new Set<number>();

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
    this.stacked = new Uint8Array(this.frameCount);
    this.used = new Uint8Array(this.frameCount);
    this.runUse = new Uint8Array(Math.ceil(this.frameCount / RUN_FRAMES));
  }

  /** Takes a frame with one reference and undefined contents; 0 when none is left. */
  allocate(): number {
    for (;;) {
      if (this.freeStackTop > 0) {
        const pfn = this.freeStack[--this.freeStackTop]!;
        this.stacked[pfn] = 0;
        if (this.references[pfn] === 0) return this.take(pfn);
      } else if (this.fresh < this.frameCount) return this.take(this.fresh++);
      else if (this.freeFrames > 0) this.breakRuns();
      else return 0;
    }
  }

  /**
   * Takes the frame at a place of a run, as `allocate` does; 0 when it is taken.
   *
   * @param run its first frame; 0 for a run of which no frame is taken, and 0 when there is none
   */
  allocateInRun(run: number, place: number): number {
    const pfn = (run || this.emptyRun()) + place;
    if (pfn < RUN_FRAMES || pfn >= this.fresh || this.references[pfn] !== 0) return 0;
    return this.take(pfn);
  }

  /** Takes a frame full of zeros with one reference; 0 when none is left. */
  allocateZeroed(): number {
    return this.clear(this.allocate());
  }

  /** Fills a frame with zeros, unless it was never used. Returns it. */
  clear(pfn: number): number {
    if (this.used[pfn] !== 0) this.u8.fill(0, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
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
    if (left > 0) return;
    this.freeFrames++;
    this.used[pfn] = 1;
    this.push(pfn);
    const run = Math.floor(pfn / RUN_FRAMES);
    if (--this.runUse[run]! === 0 && run > 0) this.emptyRuns.add(run);
  }

  /** References held on a frame, 0 for a free one. */
  referenceCount(pfn: number): number {
    return this.references[pfn]!;
  }

  copyFrame(from: number, to: number): void {
    this.u8.copyWithin(to * PAGE_SIZE, from * PAGE_SIZE, (from + 1) * PAGE_SIZE);
  }

  private take(pfn: number): number {
    this.references[pfn] = 1;
    this.freeFrames--;
    this.runUse[Math.floor(pfn / RUN_FRAMES)]!++;
    return pfn;
  }

  private push(pfn: number): void {
    if (this.stacked[pfn] !== 0) return;
    this.stacked[pfn] = 1;
    this.freeStack[this.freeStackTop++] = pfn;
  }

  /** First frame of a run of which none is taken; 0: there is none. */
  private emptyRun(): number {
    for (const run of this.emptyRuns) {
      this.emptyRuns.delete(run);
      if (this.runUse[run] === 0 && (run + 1) * RUN_FRAMES <= this.fresh) return run * RUN_FRAMES;
    }
    const first = Math.ceil(this.fresh / RUN_FRAMES) * RUN_FRAMES;
    if (first + RUN_FRAMES > this.frameCount) return 0;
    while (this.fresh < first) this.push(this.fresh++);
    this.fresh = first + RUN_FRAMES;
    return first;
  }

  /** Makes all free frames of runs available one by one. */
  private breakRuns(): void {
    for (let pfn = 1; pfn < this.fresh; pfn++) if (this.references[pfn] === 0) this.push(pfn);
  }
}
