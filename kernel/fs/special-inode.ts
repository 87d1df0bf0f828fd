/** Named pipes, device nodes and sockets: a name whose contents live elsewhere (mknod(2)). */
import { ENXIO } from "../../abi/errno.ts";
import { S_IFCHR, S_IFIFO } from "../../abi/stat.ts";
import type { Task } from "../task/task.ts";
import type { FileSystem } from "../vfs/file-system.ts";
import { Inode } from "../vfs/inode.ts";
import type { Path } from "../vfs/mount.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { openCharacterDevice } from "./devices.ts";
import { openFifo } from "./fifo.ts";
import type { Pipe } from "./pipe.ts";

export class SpecialInode extends Inode {
  /** The pipe behind a FIFO while somebody has it open. */
  pipe: Pipe | null = null;
  /** Whoever is bound to a socket's name; the socket family's business. */
  socket: unknown = null;

  constructor(fs: FileSystem, number: number, mode: number, rdev: number) {
    super(fs, number, mode);
    this.rdev = rdev;
  }

  override open(task: Task, path: Path, flags: number): OpenFile | null {
    if (this.type === S_IFIFO) return openFifo(task, this, path, flags);
    if (this.type === S_IFCHR) return openCharacterDevice(task, this, path, flags);
    throw ENXIO;
  }
}
