/** Two connected sockets without addresses: a pipe in each direction (socketpair(2), unix(7)). */
import { EPIPE } from "../../abi/errno.ts";
import { O_DIRECT, O_NONBLOCK, O_RDWR } from "../../abi/fcntl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLRDHUP, POLLRDNORM } from "../../abi/poll.ts";
import { SHUT_RD, SHUT_RDWR, SHUT_WR, SOCK_STREAM } from "../../abi/socket.ts";
import { S_IFSOCK } from "../../abi/stat.ts";
import type { Kernel } from "../kernel.ts";
import type { Task } from "../task/task.ts";
import type { WaitQueue } from "../task/wait-queue.ts";
import { OpenFile } from "../vfs/open-file.ts";
import type { Transfer } from "../vfs/transfer.ts";
import { pipeFs } from "./anonymous-fs.ts";
import { createPipe } from "./create-pipe.ts";
import type { PipeFile } from "./pipe-file.ts";
import { SpecialInode } from "./special-inode.ts";

export class PairedSocket extends OpenFile {
  private inbox: PipeFile | null;
  private outbox: PipeFile | null;
  private readonly queues: WaitQueue[];

  constructor(kernel: Kernel, inbox: PipeFile, outbox: PipeFile, flags: number) {
    const fs = pipeFs(kernel);
    super(new SpecialInode(fs, fs.allocateNumber(), S_IFSOCK | 0o777, 0), null, O_RDWR | flags);
    this.inbox = inbox;
    this.outbox = outbox;
    this.queues = [...inbox.pollQueues(), ...outbox.pollQueues()];
    this.setStatus(this.flags);
  }

  override get description(): string {
    return `socket:[${this.inode.number}]`;
  }

  override get pollable(): boolean {
    return true;
  }

  override read(task: Task, to: Transfer): number {
    return this.inbox ? this.inbox.read(task, to) : 0;
  }

  override write(task: Task, from: Transfer): number {
    return this.outbox ? this.outbox.write(task, from) : -EPIPE.number;
  }

  /** A write would be a broken pipe. */
  get broken(): boolean {
    return !this.outbox || (this.outbox.poll() & POLLERR) !== 0;
  }

  /** SHUT_RD, SHUT_WR or both; the peer sees the end of the file, or a broken pipe. */
  shutdown(how: number): void {
    if (how === SHUT_RD || how === SHUT_RDWR) this.closeInbox();
    if (how === SHUT_WR || how === SHUT_RDWR) this.closeOutbox();
  }

  override poll(): number {
    const incoming = this.inbox ? this.inbox.poll() : POLLIN | POLLRDNORM | POLLRDHUP;
    const outgoing = this.outbox ? this.outbox.poll() : 0;
    const peerGone = (incoming & POLLHUP) !== 0;
    const mask = (incoming & ~POLLHUP) | (outgoing & ~POLLERR);
    if (!peerGone) return mask;
    const both = !this.outbox || (outgoing & POLLERR) !== 0;
    return mask | POLLIN | POLLRDNORM | POLLRDHUP | (both ? POLLHUP : 0);
  }

  override pollQueues(): WaitQueue[] {
    return this.queues;
  }

  override activity(): number {
    return (this.inbox?.activity() ?? 0) + (this.outbox?.activity() ?? 0);
  }

  override ioctl(task: Task, command: number, argument: number): number {
    return this.inbox ? this.inbox.ioctl(task, command, argument) : super.ioctl(task, command, argument);
  }

  override setStatus(flags: number): void {
    super.setStatus(flags);
    for (const end of [this.inbox, this.outbox]) {
      if (end) end.flags = (end.flags & ~O_NONBLOCK) | (flags & O_NONBLOCK);
    }
  }

  protected override closed(): void {
    this.shutdown(SHUT_RDWR);
  }

  private closeInbox(): void {
    const end = this.inbox;
    this.inbox = null;
    end?.release();
  }

  private closeOutbox(): void {
    const end = this.outbox;
    this.outbox = null;
    end?.release();
  }
}

/** Two sockets, each the other's peer; all types but SOCK_STREAM keep messages apart. @throws ENFILE */
export function createSocketPair(task: Task, type: number, flags: number): [PairedSocket, PairedSocket] {
  const { kernel, creds } = task;
  const mode = type === SOCK_STREAM ? 0 : O_DIRECT;
  const one = createPipe(kernel, creds.fsuid, creds.fsgid, mode);
  let other: [PipeFile, PipeFile];
  try {
    other = createPipe(kernel, creds.fsuid, creds.fsgid, mode);
  } catch (error) {
    for (const end of one) end.release();
    throw error;
  }
  return [new PairedSocket(kernel, one[0], other[1], flags), new PairedSocket(kernel, other[0], one[1], flags)];
}
