/** The home of inodes that have no name: pipes, eventfd, epoll and their like (pipe(7)). */
import { ENXIO } from "../../abi/errno.ts";
import { ANON_INODE_FS_MAGIC, PIPEFS_MAGIC, S_IFDIR } from "../../abi/stat.ts";
import type { Kernel } from "../kernel.ts";
import type { Task } from "../task/task.ts";
import type { Path } from "../vfs/mount.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { FileSystem } from "../vfs/file-system.ts";
import { Inode } from "../vfs/inode.ts";

export class AnonymousInode extends Inode {
  /** Opens the file again through its link in /proc; absent where Linux refuses that. */
  reopen: ((task: Task, path: Path, flags: number) => OpenFile) | null = null;

  override open(task: Task, path: Path, flags: number): OpenFile {
    if (!this.reopen) throw ENXIO;
    return this.reopen(task, path, flags);
  }

  override get blocks(): number {
    return 0;
  }
}

export class AnonymousFs extends FileSystem {
  readonly root: Inode;
  private next = 1;

  constructor(kernel: Kernel, type: string, magic: number) {
    super(kernel, type, magic);
    this.root = new AnonymousInode(this, this.next++, S_IFDIR | 0o555);
  }

  allocateNumber(): number {
    return this.next++;
  }

  /** An inode with no names, owned by root unless changed. */
  make(mode: number): AnonymousInode {
    const inode = new AnonymousInode(this, this.next++, mode);
    inode.atime = inode.mtime = inode.ctime = this.kernel.realtime();
    return inode;
  }
}

interface Homes {
  pipes: AnonymousFs;
  anonymous: AnonymousFs;
}

const homes = new WeakMap<Kernel, Homes>();

function homesOf(kernel: Kernel): Homes {
  let found = homes.get(kernel);
  if (!found) {
    found = {
      pipes: new AnonymousFs(kernel, "pipefs", PIPEFS_MAGIC),
      anonymous: new AnonymousFs(kernel, "anon_inodefs", ANON_INODE_FS_MAGIC),
    };
    homes.set(kernel, found);
  }
  return found;
}

/** The file system of a kernel's pipes. */
export const pipeFs = (kernel: Kernel): AnonymousFs => homesOf(kernel).pipes;

/** An inode for a new eventfd, epoll, pidfd and so on: mode 0600 without a type, as Linux shows it. */
export const anonymousInode = (kernel: Kernel): AnonymousInode => homesOf(kernel).anonymous.make(0o600);
