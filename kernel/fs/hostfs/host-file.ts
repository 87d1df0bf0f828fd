/** An open regular file of the host: reads and writes go straight between it and RAM, around pages that are cached. */
import { O_ACCMODE, O_RDONLY } from "../../../abi/fcntl.ts";
import { PAGE_SIZE } from "../../mm/layout.ts";
import type { Task } from "../../task/task.ts";
import type { Path } from "../../vfs/mount.ts";
import { RegularFile } from "../../vfs/regular-file.ts";
import { check } from "./host-access.ts";
import type { HostInode } from "./host-inode.ts";

export class HostFile extends RegularFile {
  declare readonly inode: HostInode;

  /** @throws the host's errno: its own permissions count too */
  constructor(inode: HostInode, path: Path, flags: number) {
    inode.fs.access.handleOf(inode, (flags & O_ACCMODE) !== O_RDONLY);
    super(inode, path, flags);
    if (inode.cachedPages) inode.refresh();
  }

  protected override readPiece(piece: Uint8Array, position: number): number {
    const store = this.inode.cachedPages?.store;
    if (!store || store.pages.size === 0) return this.readHost(piece, position);
    let done = 0;
    while (done < piece.length) {
      const at = position + done;
      const offset = at % PAGE_SIZE;
      const pfn = store.cachedPage((at - offset) / PAGE_SIZE);
      let wanted = Math.min(piece.length - done, PAGE_SIZE - offset);
      let count: number;
      if (pfn !== 0) {
        count = Math.max(0, Math.min(wanted, store.size - at));
        piece.set(store.frames.bytes(pfn).subarray(offset, offset + count), done);
      } else {
        // Straight from the host up to the next page in memory.
        while (wanted < piece.length - done && store.cachedPage((at + wanted) / PAGE_SIZE) === 0) wanted += PAGE_SIZE;
        wanted = Math.min(wanted, piece.length - done);
        count = this.readHost(piece.subarray(done, done + wanted), at);
        if (count < 0) return done > 0 ? done : count;
      }
      done += count;
      if (count < wanted) break;
    }
    return done;
  }

  protected override writePiece(piece: Uint8Array, position: number): number {
    const { inode } = this;
    const { access } = inode.fs;
    const count = check(access.files.write(access.handleOf(inode, true), piece, position));
    const store = inode.cachedPages?.store;
    if (store && store.pages.size > 0) {
      for (let done = 0; done < count;) {
        const at = position + done;
        const chunk = Math.min(count - done, PAGE_SIZE - (at % PAGE_SIZE));
        const pfn = store.cachedPage(Math.floor(at / PAGE_SIZE));
        if (pfn !== 0) {
          store.frames.bytes(pfn).set(piece.subarray(done, done + chunk), at % PAGE_SIZE);
          store.frames.written(pfn);
        }
        done += chunk;
      }
    }
    inode.grown(position + count);
    return count;
  }

  /** The host keeps the times. */
  protected override accessed(): void {}

  protected override modified(task: Task): void {
    if ((this.inode.mode & 0o6000) !== 0) super.modified(task);
  }

  private readHost(piece: Uint8Array, position: number): number {
    const { access } = this.inode.fs;
    return access.files.read(access.handleOf(this.inode, false), piece, position);
  }
}
