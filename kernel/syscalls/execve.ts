/** execve(2) and execveat(2). */
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../../abi/fcntl.ts";
import { E2BIG, EINVAL } from "../../abi/errno.ts";
import { handler } from "../dispatch.ts";
import { MAX_ARG_STRLEN } from "../exec/initial-stack.ts";
import { execve as execProgram } from "../exec/execve.ts";
import { readCString, readU64 } from "../mm/user-copy.ts";
import { readPath } from "../vfs/byte-string.ts";
import { REGISTERS_SET, type Task } from "../task/task.ts";

/** Bytes of all arguments and environment strings together, with their pointers. */
const MAX_ARG_BYTES = 6 << 20;
/** A NULL-terminated array of strings; NULL itself counts as empty, as Linux has it. @throws EFAULT E2BIG */
function readStrings(task: Task, address: number): Uint8Array[] {
  const strings: Uint8Array[] = [];
  if (address === 0) return strings;
  let total = 0;
  for (let slot = address; ; slot += 8) {
    const pointer = readU64(task.memory, slot);
    if (pointer === 0) return strings;
    const text = readCString(task.memory, pointer, MAX_ARG_STRLEN, E2BIG);
    total += text.length + 9;
    if (total > MAX_ARG_BYTES) throw E2BIG;
    strings.push(text);
  }
}

function run(task: Task, dirfd: number, path: number, argv: number, envp: number, flags: number): number {
  const name = readPath(task, path);
  execProgram(task, {
    path: name,
    argv: readStrings(task, argv),
    envp: readStrings(task, envp),
    dirfd,
    flags,
  });
  return REGISTERS_SET;
}

export const execve = handler("execve", (task, path, argv, envp) => run(task, AT_FDCWD, path, argv, envp, 0));

export const execveat = handler("execveat", (task, dirfd, path, argv, envp, flags) => {
  if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) throw EINVAL;
  return run(task, dirfd, path, argv, envp, flags);
});
