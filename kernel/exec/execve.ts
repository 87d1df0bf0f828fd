/**
 * execve: the new program is built completely beside the old one, and only when nothing can fail any more the task
 * changes over (execve(2)).
 */
import * as aux from "../../abi/auxv.ts";
import { AT_FDCWD } from "../../abi/fcntl.ts";
import { ELOOP, ENOEXEC } from "../../abi/errno.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import { RIP, RSP } from "../../emulator/registers.ts";
import { AddressSpace } from "../mm/address-space.ts";
import { PAGE_SIZE, PIE_BASE, STACK_TOP, pageCeil } from "../mm/layout.ts";
import { minimumSignalStack } from "../signal/fpu-frame.ts";
import type { Credentials } from "../task/credentials.ts";
import { dethread } from "../task/dethread.ts";
import { releaseMemory } from "../task/release-memory.ts";
import type { Task } from "../task/task.ts";
import { deletePosixTimers } from "../time/delete-timers.ts";
import { toBytes } from "../vfs/byte-string.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { openForExec } from "../vfs/open-for-exec.ts";
import { isElf, readElfImage, readInterpreterImage, type ElfImage } from "./elf-image.ts";
import { buildInitialStack } from "./initial-stack.ts";
import { loadImage, type LoadedImage } from "./load-image.ts";
import { MAX_SCRIPT_DEPTH, SCRIPT_LINE_SIZE, isScript, parseScriptLine } from "./script.ts";

export interface ExecRequest {
  /** A byte string. */
  path: string;
  /** Without their NULs. */
  argv: readonly Uint8Array[];
  envp: readonly Uint8Array[];
  dirfd?: number;
  flags?: number;
}

/** CPUID.01H:EDX of the presented model (Nehalem). */
const HWCAP = 0x178bfbff;
const INITIAL_STACK = 33 * PAGE_SIZE;
const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const S_IXGRP = 0o010;

/**
 * Replaces the task's program.
 * @throws an errno, with the task as it was
 */
export function execve(task: Task, request: ExecRequest): void {
  const { file, argv, scriptName } = openProgram(task, request);
  try {
    const creds = credentialsAfterExec(task, file);
    const space = new AddressSpace(task.kernel.frames, task.kernel.engine);
    let start: { entry: number; sp: number };
    try {
      start = buildProgram(task, space, file, { ...request, argv, path: scriptName ?? fileName(request) }, creds);
    } catch (error) {
      space.dispose();
      throw error;
    }
    changeOver(task, space, start, creds);
    task.comm = baseName(scriptName ?? fileName(request)).slice(0, 15);
    task.exePath = file.pathFor(task);
    task.exeFile?.release();
    task.exeFile = file.mappedFile();
    task.exeFile.retain();
  } finally {
    file.release();
  }
}

/** The program's name for itself and for interpreters; below a descriptor it is a path in /dev/fd (execveat(2)). */
function fileName({ path, dirfd = AT_FDCWD }: ExecRequest): string {
  if (dirfd === AT_FDCWD || path.startsWith("/")) return path;
  return path === "" ? `/dev/fd/${dirfd}` : `/dev/fd/${dirfd}/${path}`;
}

interface Program {
  file: OpenFile;
  argv: readonly Uint8Array[];
  /** The script that named the program. */
  scriptName: string | null;
}

/** Opens the program, following #! lines. @throws ENOEXEC ELOOP and what open gives */
function openProgram(task: Task, request: ExecRequest): Program {
  let { path } = request;
  let argv: readonly Uint8Array[] = request.argv.length > 0 ? request.argv : [new Uint8Array(0)];
  let scriptName: string | null = null;
  for (let depth = 0; ; depth++) {
    const file = depth === 0 ? openForExec(task, path, request.dirfd, request.flags) : openForExec(task, path);
    try {
      const start = new Uint8Array(SCRIPT_LINE_SIZE);
      const length = file.readAt(start, 0);
      if (!isScript(start)) {
        if (!isElf(start.subarray(0, length))) throw ENOEXEC;
        return { file, argv, scriptName };
      }
      if (depth > MAX_SCRIPT_DEPTH) throw ELOOP;
      const line = parseScriptLine(start.subarray(0, length));
      const extra = line.argument === null ? [] : [line.argument];
      const name = depth === 0 ? fileName(request) : path;
      argv = [...[line.interpreter, ...extra, name].map(toBytes), ...argv.slice(1)];
      scriptName ??= name;
      path = line.interpreter;
    } catch (error) {
      file.release();
      throw error;
    }
    file.release();
  }
}

function buildProgram(
  task: Task,
  space: AddressSpace,
  file: OpenFile,
  request: ExecRequest,
  creds: Credentials,
): { entry: number; sp: number } {
  const limits = task.group.limits;
  space.limits = { addressSpace: limits[9]!.current, data: limits[2]!.current, stack: limits[3]!.current };
  const image = readElfImage(file);
  const mapped = file.mappedFile();
  const program = loadImage(space, image, mapped, image.relocatable ? PIE_BASE : 0);
  const interpreter = image.interpreter === null ? null : loadInterpreter(task, space, image.interpreter);
  setMarks(space, image, program);

  const stackProt = PROT_READ | PROT_WRITE | (image.executableStack ? PROT_EXEC : 0);
  space.mapFixed(STACK_TOP - INITIAL_STACK, {
    length: INITIAL_STACK,
    prot: stackProt,
    growsDown: true,
    name: "[stack]",
  });
  const random = new Uint8Array(16);
  task.kernel.world.entropy.fill(random);
  const { userNamespace } = creds;
  const sp = buildInitialStack(space, {
    argv: request.argv,
    envp: request.envp,
    fileName: request.path,
    random,
    auxv: [
      [aux.AT_HWCAP, HWCAP],
      [aux.AT_PAGESZ, PAGE_SIZE],
      [aux.AT_CLKTCK, 100],
      [aux.AT_PHDR, program.headers],
      [aux.AT_PHENT, 56],
      [aux.AT_PHNUM, image.headerCount],
      [aux.AT_BASE, interpreter ? interpreter.bias : 0],
      [aux.AT_FLAGS, 0],
      [aux.AT_ENTRY, program.entry],
      [aux.AT_UID, userNamespace.uidInside(creds.uid)],
      [aux.AT_EUID, userNamespace.uidInside(creds.euid)],
      [aux.AT_GID, userNamespace.gidInside(creds.gid)],
      [aux.AT_EGID, userNamespace.gidInside(creds.egid)],
      [aux.AT_SECURE, creds.euid !== creds.uid || creds.egid !== creds.gid ? 1 : 0],
      [aux.AT_HWCAP2, 0],
      [aux.AT_MINSIGSTKSZ, minimumSignalStack(task.kernel.engine.capabilities)],
    ],
  });
  return { entry: interpreter ? interpreter.entry : program.entry, sp };
}

function loadInterpreter(task: Task, space: AddressSpace, path: string): LoadedImage {
  const file = openForExec(task, path);
  try {
    return loadImage(space, readInterpreterImage(file), file.mappedFile(), 0);
  } finally {
    file.release();
  }
}

function setMarks(space: AddressSpace, image: ElfImage, program: LoadedImage): void {
  const { marks } = space;
  for (const segment of image.segments) {
    const start = segment.address + program.bias;
    const end = start + segment.fileSize;
    if ((segment.flags & 1) !== 0) {
      marks.startCode = marks.startCode === 0 ? start : Math.min(marks.startCode, start);
      marks.endCode = Math.max(marks.endCode, end);
    }
    marks.startData = Math.max(marks.startData, start);
    marks.endData = Math.max(marks.endData, end);
  }
  space.brkStart = pageCeil(program.end);
  space.brkEnd = space.brkStart;
}

/** The point of no return: from here on nothing fails. */
function changeOver(task: Task, space: AddressSpace, start: { entry: number; sp: number }, creds: Credentials): void {
  const { engine, scheduler } = task.kernel;
  dethread(task);
  releaseMemory(task);
  task.mm = space;
  if (task.files.users > 1) {
    const own = task.files.clone();
    task.files.release();
    task.files = own;
  }
  task.files.closeOnExec();
  if (task.actions.users > 1) {
    task.actions.users--;
    task.actions = task.actions.clone();
  }
  task.actions.resetHandlers();
  task.altStack = { sp: 0, size: 0, flags: 2 };
  task.clearChildTid = 0;
  task.robustList = 0;
  task.rseq = { address: 0, length: 0, signature: 0 };
  deletePosixTimers(task.group);
  task.group.execCount++;
  task.group.hasExeced = true;
  task.group.dumpable = creds.euid === creds.uid && creds.egid === creds.gid ? 1 : 0;
  if (creds.euid !== task.creds.euid || creds.egid !== task.creds.egid) task.parentDeathSignal = 0;
  task.creds = creds;

  const cpu = scheduler.current === task ? engine.cpu : task.saved;
  cpu.general.fill(0);
  cpu.u32[17 * 2] = 0x202;
  cpu.set(RIP, start.entry);
  cpu.set(RSP, start.sp);
  cpu.fxsave.fill(0);
  cpu.fxsave[0] = 0x7f;
  cpu.fxsave[1] = 0x03;
  cpu.fxsave[24] = 0x80;
  cpu.fxsave[25] = 0x1f;
  cpu.fxsave[28] = 0xff;
  cpu.fxsave[29] = 0xff;
  cpu.ymmHigh.fill(0);
  if (scheduler.current === task) {
    engine.loadFpu();
    scheduler.activate(space, engine);
  }
}

/** Set-user-ID and set-group-ID programs, and what becomes of capabilities (capabilities(7)). */
function credentialsAfterExec(task: Task, file: OpenFile): Credentials {
  const old = task.creds;
  const { mode, uid, gid } = file.inode;
  const mayChange = !old.noNewPrivs && file.path?.mount.attributes.noSuid !== true;
  const euid = mayChange && (mode & S_ISUID) !== 0 ? uid : old.euid;
  const setgid = (mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
  const egid = mayChange && setgid ? gid : old.egid;
  const root = old.userNamespace.uidGlobal(0);
  const privileged = (old.securebits & 1) === 0 && (old.uid === root || euid === root);
  const ambient = euid !== old.euid || egid !== old.egid ? 0n : old.ambient;
  const permitted = (privileged ? old.inheritable | old.bounding : 0n) | ambient;
  const effective = privileged && euid === root ? permitted : ambient;
  return {
    ...old,
    euid,
    egid,
    suid: euid,
    sgid: egid,
    fsuid: euid,
    fsgid: egid,
    permitted,
    effective,
    ambient,
    securebits: old.securebits & ~(1 << 4),
  };
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
