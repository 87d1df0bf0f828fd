/** pipe(2), pipe2(2). */
import { EINVAL } from "../../abi/errno.ts";
import { FD_CLOEXEC, O_CLOEXEC, O_DIRECT, O_NONBLOCK } from "../../abi/fcntl.ts";
import { handler } from "../dispatch.ts";
import { createPipe } from "../fs/create-pipe.ts";
import { copyToUser } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";

function makePipe(task: Task, address: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) throw EINVAL;
  const { files, kernel, creds } = task;
  const fdFlags = (flags & O_CLOEXEC) !== 0 ? FD_CLOEXEC : 0;
  const [reader, writer] = createPipe(kernel, creds.fsuid, creds.fsgid, flags & (O_NONBLOCK | O_DIRECT));
  let readFd = -1;
  let writeFd = -1;
  try {
    readFd = files.install(reader, fdFlags, 0, task);
    writeFd = files.install(writer, fdFlags, 0, task);
    copyToUser(task.memory, address, new Uint8Array(Int32Array.of(readFd, writeFd).buffer));
    return 0;
  } catch (error) {
    if (readFd < 0) reader.release();
    else files.close(readFd);
    if (writeFd < 0) writer.release();
    else files.close(writeFd);
    throw error;
  }
}

export const pipe = handler("pipe", (task, pipefd) => makePipe(task, pipefd, 0));

export const pipe2 = handler("pipe2", makePipe);
