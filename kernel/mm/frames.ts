/**
 * Frames as the kernel hands them out: physical memory, plus the two things a frame's next owner must not notice.
 * Code translated from its old bytes is forgotten, and when none is left the caches give some back first.
 */
import type { Engine } from "../../emulator/engine.ts";
import type { PhysicalMemory } from "../../emulator/physical-memory.ts";
import { ENOMEM } from "../../abi/errno.ts";
import { PAGE_SIZE } from "./layout.ts";

/** Frees cached frames; returns how many. */
export type Reclaimer = (wanted: number) => number;

export class Frames {
  readonly memory: PhysicalMemory;
  /** A frame of zeros, mapped read-only wherever untouched memory is read. */
  readonly zeroFrame: number;
  private readonly engine: Engine;
  /** Frames that are or were mapped executable: writing to them must tell the engine. */
  private readonly executable: Uint8Array;
  private readonly reclaimers: Reclaimer[] = [];

  constructor(engine: Engine) {
    this.engine = engine;
    this.memory = engine.memory;
    this.executable = new Uint8Array(this.memory.frameCount);
    this.zeroFrame = this.allocateZeroed();
  }

  onShortage(reclaimer: Reclaimer): void {
    this.reclaimers.push(reclaimer);
  }

  /** A frame with undefined contents and one reference. @throws ENOMEM */
  allocate(): number {
    const pfn = this.memory.allocate() || (this.reclaim(), this.memory.allocate());
    if (pfn === 0) throw ENOMEM;
    if (this.executable[pfn] !== 0) this.forgetCode(pfn);
    return pfn;
  }

  /** A frame of zeros with one reference. @throws ENOMEM */
  allocateZeroed(): number {
    const pfn = this.memory.allocateZeroed() || (this.reclaim(), this.memory.allocateZeroed());
    if (pfn === 0) throw ENOMEM;
    if (this.executable[pfn] !== 0) this.forgetCode(pfn);
    return pfn;
  }

  /** As `allocate`, from a place of a run, where that is free: see PhysicalMemory.allocateInRun. */
  allocateInRun(run: number, place: number): number {
    const pfn = this.memory.allocateInRun(run, place);
    if (pfn !== 0 && this.executable[pfn] !== 0) this.forgetCode(pfn);
    return pfn;
  }

  retain(pfn: number): void {
    this.memory.retain(pfn);
  }

  release(pfn: number): void {
    this.memory.release(pfn);
  }

  /** The frame is being mapped executable. */
  markExecutable(pfn: number): void {
    this.executable[pfn] = 1;
  }

  /** The kernel is about to change, or has changed, bytes of the frame. */
  written(pfn: number): void {
    if (this.executable[pfn] !== 0) this.engine.invalidateFrame(pfn);
  }

  /** The bytes of a frame, shared with the guest. */
  bytes(pfn: number): Uint8Array {
    return this.memory.u8.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
  }

  private forgetCode(pfn: number): void {
    this.executable[pfn] = 0;
    this.engine.invalidateFrame(pfn);
  }

  private reclaim(): void {
    let wanted = 256;
    for (const reclaimer of this.reclaimers) {
      if (wanted <= 0) return;
      wanted -= reclaimer(wanted);
    }
  }
}
