/** Why a program could not be started, in a sentence that says what to try. */
import type { Errno } from "../abi/errno.ts";
import type { NodeMachineOptions } from "../machine/node/index.ts";
import { fileHead, hostFileOf, type GuestView } from "./guest-view.ts";
import { CommandError, EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND } from "./usage.ts";
import { statSync } from "node:fs";

const PT_INTERP = 3;
const EM_X86_64 = 62;

/** The error to end with when execve of `path` has failed with this errno. */
export function explainStart(options: NodeMachineOptions, path: string, errno: Errno): CommandError {
  const name = options.argv?.[0] ?? path;
  const exitCode = errno.name === "ENOENT" ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
  return new CommandError(`${name}: ${startProblem(options as GuestView, path, errno)}`, exitCode);
}

/** What is wrong with the program, without its name. */
export function startProblem(view: GuestView, path: string, errno: Errno): string {
  const file = hostFileOf(view, path);
  const head = file === undefined ? new Uint8Array(0) : fileHead(file, 4096);
  return errno.name === "ENOENT" ? notFound(head, view) : notExecutable(file, head, errno);
}

function notFound(head: Uint8Array, options: GuestView): string {
  const interpreter = scriptInterpreter(head) ?? elfInterpreter(head);
  if (interpreter === undefined) return "not found";
  const advice = options.root.kind === "tmpfs" ? "; --host shows it all files of the host" : "";
  return `not found: it needs ${interpreter}, which the guest does not have${advice}`;
}

function notExecutable(file: string | undefined, head: Uint8Array, errno: Errno): string {
  const stats = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return "is a directory, not a program";
  if (stats && errno.name === "EACCES" && (stats.mode & 0o111) === 0)
    return "permission denied: the file is not marked executable";
  if (errno.name === "ENOEXEC") {
    const machine = elfMachine(head);
    if (machine !== undefined && machine !== EM_X86_64)
      return `is a program for another processor (ELF machine ${machine}), not for x86-64`;
    if (isElf(head)) return "is a damaged or unsupported x86-64 ELF executable";
    return "is not an x86-64 ELF executable and not a script that starts with #!";
  }
  return `cannot be executed: ${errno.text} (${errno.name})`;
}

function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

function elfMachine(head: Uint8Array): number | undefined {
  return isElf(head) && head.length >= 20 ? head[18]! | (head[19]! << 8) : undefined;
}

function scriptInterpreter(head: Uint8Array): string | undefined {
  return /^#!\s*(\S+)/.exec(Buffer.from(head).toString("latin1"))?.[1];
}

/** PT_INTERP of a 64-bit little-endian ELF file, if the headers and the name are within `head`. */
function elfInterpreter(head: Uint8Array): string | undefined {
  if (!isElf(head) || head.length < 64) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const offset = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  for (let index = 0; index < count; index++) {
    const at = offset + index * size;
    if (at + 56 > head.length) return undefined;
    if (view.getUint32(at, true) !== PT_INTERP) continue;
    const start = Number(view.getBigUint64(at + 8, true));
    const end = head.indexOf(0, start);
    return start < head.length && end > start ? Buffer.from(head.subarray(start, end)).toString("latin1") : undefined;
  }
  return undefined;
}
