/** pipe(2). */
import { O_DIRECT, O_RDONLY, O_WRONLY } from "../../abi/fcntl.ts";
import { S_IFIFO } from "../../abi/stat.ts";
import type { Kernel } from "../kernel.ts";
import { pipeFs } from "./anonymous-fs.ts";
import { Pipe } from "./pipe.ts";
import { PipeFile } from "./pipe-file.ts";
import { SpecialInode } from "./special-inode.ts";

/** The two ends of a new pipe. @param flags O_NONBLOCK and O_DIRECT; @throws ENFILE */
export function createPipe(kernel: Kernel, uid: number, gid: number, flags: number): [PipeFile, PipeFile] {
  const pipe = new Pipe(kernel.pipeMemory, (flags & O_DIRECT) !== 0);
  pipe.reserve();
  const fs = pipeFs(kernel);
  const inode = new SpecialInode(fs, fs.allocateNumber(), S_IFIFO | 0o600, 0);
  inode.uid = uid;
  inode.gid = gid;
  inode.atime = inode.mtime = inode.ctime = kernel.realtime();
  inode.pipe = pipe;
  return [new PipeFile(pipe, inode, null, O_RDONLY | flags), new PipeFile(pipe, inode, null, O_WRONLY | flags)];
}
