/** Opening a FIFO, or a pipe by its name in /proc: each side waits for the other (fifo(7)). */
import { ENXIO } from "../../abi/errno.ts";
import { O_ACCMODE, O_NONBLOCK, O_RDONLY, O_RDWR } from "../../abi/fcntl.ts";
import type { Task } from "../task/task.ts";
import type { Path } from "../vfs/mount.ts";
import { Pipe, type WaitingOpen } from "./pipe.ts";
import { PipeFile } from "./pipe-file.ts";
import type { SpecialInode } from "./special-inode.ts";

/** An open end, or null if the task sleeps until a partner comes. @throws ENFILE ENXIO */
export function openFifo(task: Task, inode: SpecialInode, path: Path, flags: number): PipeFile | null {
  const pipe = (inode.pipe ??= new Pipe(task.kernel.pipeMemory, false));
  const mode = flags & O_ACCMODE;
  const make = (accessFlags: number): PipeFile => {
    pipe.reserve();
    const file = new PipeFile(pipe, inode, path, accessFlags);
    pipe.endsChanged();
    return file;
  };
  if (mode === O_RDWR || mode === 3) {
    pipe.admit(true);
    pipe.admit(false);
    return make((flags & ~O_ACCMODE) | O_RDWR);
  }
  const reading = mode === O_RDONLY;
  const invited = pipe.arrived(task);
  const partner = pipe.admit(reading) || (reading ? pipe.hasWriters : pipe.hasReaders);
  if (invited || partner) return make(flags);
  if ((flags & O_NONBLOCK) !== 0) {
    if (!reading) throw ENXIO;
    return make(flags);
  }
  task.callState = { fifo: inode.number, reading } satisfies WaitingOpen;
  task.sleepOn(pipe.opening);
  return null;
}
