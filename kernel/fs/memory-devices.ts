/** /dev/null, zero, full, random and kmsg (null(4), full(4), random(4)). */
import { EAGAIN, ENOSPC } from "../../abi/errno.ts";
import type { Task } from "../task/task.ts";
import { PageStore } from "../mm/page-store.ts";
import type { MappedFile } from "../mm/vma.ts";
import { OpenFile } from "../vfs/open-file.ts";
import { MAX_FILE_SIZE } from "../vfs/regular-file.ts";
import type { Transfer } from "../vfs/transfer.ts";

const fillWithZeros = (piece: Uint8Array): number => {
  piece.fill(0);
  return piece.length;
};

/** Takes everything, gives nothing. */
export class NullFile extends OpenFile {
  override read(): number {
    return 0;
  }

  override write(_task: Task, from: Transfer): number {
    return from.remaining;
  }

  override get seekable(): boolean {
    return true;
  }

  override readFrom(): number {
    return 0;
  }

  override writeTo(_task: Task, from: Transfer): number {
    return from.remaining;
  }

  override seek(): number {
    return (this.position = 0);
  }

  override truncate(): void {}
}

export class ZeroFile extends NullFile {
  override read(_task?: Task, to?: Transfer): number {
    return to ? to.move(fillWithZeros) : 0;
  }

  override readFrom(_task?: Task, to?: Transfer): number {
    return to ? to.move(fillWithZeros) : 0;
  }

  override mappedFile(): MappedFile {
    return new ZeroMapping(new PageStore(this.inode.fs.kernel.frames), this.inode.fs.device, this.inode.number);
  }
}

export class FullFile extends ZeroFile {
  override write(_task: Task, from: Transfer): number {
    return from.remaining === 0 ? 0 : -ENOSPC.number;
  }

  override writeTo(task: Task, from: Transfer): number {
    return this.write(task, from);
  }
}

export class RandomFile extends NullFile {
  override read(task?: Task, to?: Transfer): number {
    if (!task || !to) return 0;
    return to.move((piece) => {
      // The world must not see a buffer that the guest shares.
      const bytes = new Uint8Array(piece.length);
      task.kernel.world.entropy.fill(bytes);
      piece.set(bytes);
      return piece.length;
    });
  }

  override readFrom(task?: Task, to?: Transfer): number {
    return this.read(task, to);
  }

  override get pollable(): boolean {
    return true;
  }
}

/** The kernel log: writable, and always empty. */
export class KmsgFile extends NullFile {
  override read(): number {
    return -EAGAIN.number;
  }
}

/** Memory of its own for each mapping of /dev/zero. */
class ZeroMapping implements MappedFile {
  readonly store: PageStore;
  readonly path = "/dev/zero";
  readonly device: number;
  readonly inode: number;
  private users = 0;

  constructor(store: PageStore, device: number, inode: number) {
    this.store = store;
    this.store.size = MAX_FILE_SIZE;
    this.device = device;
    this.inode = inode;
  }

  retain(): void {
    this.users++;
  }

  release(): void {
    if (--this.users === 0) this.store.dispose();
  }
}
