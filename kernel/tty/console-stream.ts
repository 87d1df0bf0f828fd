/** A standard stream of the machine that is no terminal: a pipe, a file or nothing on the host's side. */
import { EAGAIN, EPIPE } from "../../abi/errno.ts";
import { O_NONBLOCK } from "../../abi/fcntl.ts";
import { FIONREAD } from "../../abi/ioctl.ts";
import { POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../abi/poll.ts";
import { brokenPipe } from "../fs/pipe-file.ts";
import { writeU32 } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";
import { WaitQueue } from "../task/wait-queue.ts";
import type { Inode } from "../vfs/inode.ts";
import { OpenFile } from "../vfs/open-file.ts";
import type { Transfer } from "../vfs/transfer.ts";
import type { ConsoleWorld } from "../world.ts";

const INPUT_LIMIT = 65536;
const WRITE_CHUNK = 65536;

/** Input that has arrived from the host and has not been read. */
export class StreamInput {
  readonly arrived = new WaitQueue();
  ended = false;
  activity = 0;
  private chunks: Uint8Array[] = [];
  length = 0;

  /** Takes bytes while there is room; returns how many. */
  push(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, INPUT_LIMIT - this.length);
    if (taken <= 0) return 0;
    this.chunks.push(bytes.slice(0, taken));
    this.length += taken;
    this.activity++;
    this.arrived.wakeAll();
    return taken;
  }

  end(): void {
    this.ended = true;
    this.activity++;
    this.arrived.wakeAll();
  }

  take(to: Transfer): number {
    let total = 0;
    while (to.remaining > 0 && this.chunks.length > 0) {
      const chunk = this.chunks[0]!;
      const moved = to.put(to.remaining < chunk.length ? chunk.subarray(0, to.remaining) : chunk);
      total += moved;
      this.length -= moved;
      if (moved === chunk.length) {
        this.chunks.shift();
        continue;
      }
      this.chunks[0] = chunk.subarray(moved);
      break;
    }
    return total;
  }
}

export class ConsoleStream extends OpenFile {
  private readonly world: ConsoleWorld;
  private readonly stream: 0 | 1 | 2;
  private readonly source: StreamInput;

  constructor(inode: Inode, flags: number, world: ConsoleWorld, stream: 0 | 1 | 2, source: StreamInput) {
    super(inode, null, flags);
    this.world = world;
    this.stream = stream;
    this.source = source;
  }

  override get description(): string {
    return this.world.streams[this.stream] === "pipe" ? `pipe:[${this.inode.number}]` : `/dev/fd/${this.stream}`;
  }

  override get pollable(): boolean {
    return true;
  }

  override read(task: Task, to: Transfer): number {
    const { source } = this;
    if (this.world.streams[this.stream] === "null" || to.remaining === 0) return 0;
    if (source.length > 0) {
      const count = source.take(to);
      this.world.wantInput();
      return count;
    }
    if (source.ended) return 0;
    this.world.wantInput();
    if ((this.flags & O_NONBLOCK) !== 0) return -EAGAIN.number;
    return task.sleepOn(source.arrived);
  }

  override write(task: Task, from: Transfer): number {
    if (this.stream === 0 || this.world.streams[this.stream] === "null") return from.remaining;
    while (from.remaining > 0) {
      const before = from.done;
      const bytes = from.take(WRITE_CHUNK);
      if (bytes.length === 0) break;
      const count = this.world.write(this.stream, bytes);
      if (count === bytes.length) continue;
      if (count === -EPIPE.number) return brokenPipe(task, before);
      if (count < 0) return before > 0 ? before : count;
      return before + count;
    }
    return from.done;
  }

  override poll(): number {
    if (this.stream !== 0) return POLLOUT | POLLWRNORM;
    const { source } = this;
    if (source.length > 0) return POLLIN | POLLRDNORM;
    const kind = this.world.streams[0];
    if (source.ended || kind === "null") return kind === "pipe" ? POLLHUP : POLLIN | POLLRDNORM;
    this.world.wantInput();
    return 0;
  }

  override pollQueues(): WaitQueue[] {
    return [this.source.arrived];
  }

  override activity(): number {
    return this.source.activity;
  }

  override ioctl(task: Task, command: number, argument: number): number {
    if (command !== FIONREAD || this.stream !== 0) return super.ioctl(task, command, argument);
    writeU32(task.memory, argument, this.source.length);
    return 0;
  }
}
