/** Pipes (pipe(7)): a ring of bytes in kernel memory between readers and writers. */
import { EBUSY } from "../../abi/errno.ts";
import type { Task } from "../task/task.ts";
import { WaitQueue } from "../task/wait-queue.ts";
import type { Transfer } from "../vfs/transfer.ts";
import { DEFAULT_CAPACITY, type PipeMemory } from "./pipe-memory.ts";

/** /proc/sys/fs/pipe-max-size. */
export const PIPE_MAX_SIZE = 1048576;
const FIRST_RING = 4096;

/** What a task asleep in open(2) of a FIFO remembers, in `Task.callState`. */
export interface WaitingOpen {
  readonly fifo: number;
  readonly reading: boolean;
}

export class Pipe {
  readers = 0;
  writers = 0;
  readonly readable = new WaitQueue();
  readonly writable = new WaitQueue();
  capacity = DEFAULT_CAPACITY;
  length = 0;
  /** Changes whenever bytes, or an end of the pipe, come or go. */
  activity = 0;
  /** Lengths of packets in the ring, in packet mode (pipe2(2), O_DIRECT). */
  readonly packets: number[] | null;
  private ring = new Uint8Array(0);
  private start = 0;
  private readonly memory: PipeMemory;
  /** Its capacity is counted: it is open. */
  private reserved = false;
  /** Tasks asleep in open(2) (fifo(7)). */
  readonly opening = new WaitQueue();
  /**
   * Sleepers whose partner has come: they count as open already, for the partner goes on before they have run again
   * and must not find a pipe with one end.
   */
  private expected: { task: Task; state: WaitingOpen }[] = [];

  constructor(memory: PipeMemory, packetMode: boolean) {
    this.memory = memory;
    this.packets = packetMode ? [] : null;
  }

  /** Must come before the first end is opened. @throws ENFILE */
  reserve(): void {
    if (this.reserved) return;
    this.capacity = this.memory.reserve();
    this.reserved = true;
  }

  /** Somebody reads, or is about to. */
  get hasReaders(): boolean {
    return this.readers > 0 || this.expects(true);
  }

  get hasWriters(): boolean {
    return this.writers > 0 || this.expects(false);
  }

  get room(): number {
    return this.capacity - this.length;
  }

  /** Moves bytes out of the ring; at most one packet in packet mode. */
  take(to: Transfer): number {
    const packet = this.packets?.[0];
    const available = packet ?? this.length;
    const moved = to.move(
      (piece) => {
        const count = Math.min(piece.length, this.ring.length - this.start);
        piece.set(this.ring.subarray(this.start, this.start + count));
        this.drop(count);
        if (count === piece.length) return count;
        const rest = piece.length - count;
        piece.set(this.ring.subarray(0, rest), count);
        this.drop(rest);
        return piece.length;
      },
      Math.min(to.remaining, available),
    );
    if (packet !== undefined && moved > 0) {
      this.drop(packet - moved);
      this.packets!.shift();
    }
    if (moved > 0) {
      this.activity++;
      this.writable.wakeAll();
    }
    return moved;
  }

  /** Moves up to `limit` bytes, for which there is room, into the ring. */
  put(from: Transfer, limit: number): number {
    this.grow(this.length + limit);
    const moved = from.move((piece) => {
      const { ring } = this;
      const end = (this.start + this.length) % ring.length;
      const count = Math.min(piece.length, ring.length - end);
      ring.set(count === piece.length ? piece : piece.subarray(0, count), end);
      if (count < piece.length) ring.set(piece.subarray(count), 0);
      this.length += piece.length;
      return piece.length;
    }, limit);
    if (moved > 0) {
      this.packets?.push(moved);
      this.activity++;
      this.readable.wakeAll();
    }
    return moved;
  }

  /** The bytes in the pipe, without taking them (tee(2)). */
  contents(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    const first = Math.min(this.length, this.ring.length - this.start);
    bytes.set(this.ring.subarray(this.start, this.start + first));
    bytes.set(this.ring.subarray(0, this.length - first), first);
    return bytes;
  }

  resize(capacity: number): void {
    if (capacity < this.length) throw EBUSY;
    this.memory.change(this.capacity, capacity);
    this.capacity = capacity;
    if (this.ring.length > capacity) this.move(capacity);
    this.writable.wakeAll();
  }

  /** An end was opened or closed. */
  endsChanged(): void {
    this.activity++;
    if (!this.hasReaders && !this.hasWriters) this.empty();
    this.readable.wakeAll();
    this.writable.wakeAll();
  }

  /** Lets those in who sleep in open(2) on the other side; true if there was one. */
  admit(reading: boolean): boolean {
    let found = false;
    for (const task of [...this.opening.waiters]) {
      const state = task.callState as WaitingOpen;
      if (state.reading === reading) continue;
      this.expected.push({ task, state });
      task.wake();
      found = true;
    }
    return found;
  }

  /** True if the task was let in while it slept; it is no longer expected. */
  arrived(task: Task): boolean {
    const before = this.expected.length;
    this.expected = this.expected.filter((one) => one.task !== task);
    return this.expected.length < before;
  }

  /** Nobody has it open: what is in it is lost, as a FIFO's contents are too. */
  private empty(): void {
    if (this.reserved) this.memory.release(this.capacity);
    this.reserved = false;
    this.ring = new Uint8Array(0);
    this.length = this.start = 0;
    if (this.packets) this.packets.length = 0;
  }

  private expects(reading: boolean): boolean {
    if (this.expected.length === 0) return false;
    // A signal may have taken a sleeper out of its call.
    this.expected = this.expected.filter(({ task, state }) => task.callState === state);
    return this.expected.some(({ state }) => state.reading === reading);
  }

  private drop(count: number): void {
    this.length -= count;
    this.start = this.length === 0 ? 0 : (this.start + count) % this.ring.length;
  }

  private grow(needed: number): void {
    if (this.ring.length >= needed) return;
    let size = Math.max(FIRST_RING, this.ring.length);
    while (size < needed) size *= 2;
    this.move(Math.min(size, this.capacity));
  }

  private move(size: number): void {
    const bytes = this.contents();
    this.ring = new Uint8Array(size);
    this.ring.set(bytes);
    this.start = 0;
  }
}
