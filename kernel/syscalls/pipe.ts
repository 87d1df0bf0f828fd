/** pipe(2), pipe2(2). */
import { EINVAL } from "../../abi/errno.ts";
import { FD_CLOEXEC, O_CLOEXEC, O_DIRECT, O_NONBLOCK } from "../../abi/fcntl.ts";
import { handler } from "../dispatch.ts";
import { createPipe } from "../fs/create-pipe.ts";
import type { Task } from "../task/task.ts";
import { installPair } from "../vfs/install-pair.ts";

function makePipe(task: Task, address: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) throw EINVAL;
  const { kernel, creds } = task;
  const ends = createPipe(kernel, creds.fsuid, creds.fsgid, flags & (O_NONBLOCK | O_DIRECT));
  installPair(task, ends, (flags & O_CLOEXEC) !== 0 ? FD_CLOEXEC : 0, address);
  return 0;
}

export const pipe = handler("pipe", (task, pipefd) => makePipe(task, pipefd, 0));

export const pipe2 = handler("pipe2", makePipe);
