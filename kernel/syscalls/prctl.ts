/** prctl(2), arch_prctl(2), capget(2), capset(2), personality(2). */
import * as cap from "../../abi/capability.ts";
import { EFAULT, EINVAL, ENODEV, EPERM, ESRCH } from "../../abi/errno.ts";
import * as abi from "../../abi/prctl.ts";
import { FS_BASE, GS_BASE } from "../../emulator/registers.ts";
import { handler } from "../dispatch.ts";
import { TASK_SIZE } from "../mm/layout.ts";
import { copyToUser, readBytes, readU32, writeU32, writeU64 } from "../mm/user-copy.ts";
import { capableIn } from "../task/capable.ts";
import { ALL_CAPABILITIES, LAST_CAPABILITY, type CapabilityBits } from "../task/credentials.ts";
import type { Task } from "../task/task.ts";

/** Each secure bit stands below its lock (capabilities(7)). */
const SECURE_ALL_BITS = 0x55;
const SECURE_ALL_LOCKS = 0xaa;

const bit = (capability: number): CapabilityBits => 1n << BigInt(capability);

function checkCapability(capability: number): void {
  if (capability < 0 || capability > LAST_CAPABILITY) throw EINVAL;
}

/** The name of a thread: up to 15 bytes, NUL-terminated if shorter. */
function readComm(task: Task, address: number): string {
  let name = "";
  for (let at = 0; at < abi.TASK_COMM_LEN - 1; at++) {
    const byte = readBytes(task.memory, address + at, 1)[0]!;
    if (byte === 0) break;
    name += String.fromCharCode(byte);
  }
  return name;
}

export const prctl = handler("prctl", (task, option, a, b, c, d) => {
  const { creds, group } = task;
  const noMore = (): void => {
    if (b !== 0 || c !== 0 || d !== 0) throw EINVAL;
  };
  switch (option) {
    case abi.PR_SET_PDEATHSIG:
      if (a > 64) throw EINVAL;
      task.parentDeathSignal = a;
      return 0;
    case abi.PR_GET_PDEATHSIG:
      writeU32(task.memory, a, task.parentDeathSignal);
      return 0;
    case abi.PR_GET_DUMPABLE:
      return group.dumpable;
    case abi.PR_SET_DUMPABLE:
      if (a !== 0 && a !== 1) throw EINVAL;
      group.dumpable = a;
      return 0;
    case abi.PR_SET_NAME:
      task.comm = readComm(task, a);
      return 0;
    case abi.PR_GET_NAME: {
      const bytes = new Uint8Array(abi.TASK_COMM_LEN);
      for (let at = 0; at < task.comm.length; at++) bytes[at] = task.comm.charCodeAt(at);
      copyToUser(task.memory, a, bytes);
      return 0;
    }
    case abi.PR_GET_KEEPCAPS:
      return (creds.securebits & abi.SECBIT_KEEP_CAPS) !== 0 ? 1 : 0;
    case abi.PR_SET_KEEPCAPS:
      if (a > 1) throw EINVAL;
      if ((creds.securebits & abi.SECBIT_KEEP_CAPS_LOCKED) !== 0) throw EPERM;
      task.creds = {
        ...creds,
        securebits: a === 1 ? creds.securebits | abi.SECBIT_KEEP_CAPS : creds.securebits & ~abi.SECBIT_KEEP_CAPS,
      };
      return 0;
    case abi.PR_GET_SECUREBITS:
      return creds.securebits;
    case abi.PR_SET_SECUREBITS:
      return setSecurebits(task, a);
    case abi.PR_CAPBSET_READ:
      checkCapability(a);
      return (creds.bounding & bit(a)) !== 0n ? 1 : 0;
    case abi.PR_CAPBSET_DROP:
      if (!capableIn(task, cap.CAP_SETPCAP, creds.userNamespace)) throw EPERM;
      checkCapability(a);
      task.creds = { ...creds, bounding: creds.bounding & ~bit(a) };
      return 0;
    case abi.PR_CAP_AMBIENT:
      return changeAmbient(task, a, b, c, d);
    case abi.PR_GET_TSC:
      writeU32(task.memory, a, abi.PR_TSC_ENABLE);
      return 0;
    case abi.PR_SET_TSC:
      if (a !== abi.PR_TSC_ENABLE) throw EINVAL;
      return 0;
    case abi.PR_GET_TIMERSLACK:
      return task.timerSlack;
    case abi.PR_SET_TIMERSLACK:
      task.timerSlack = a === 0 ? 50000 : a;
      return 0;
    case abi.PR_SET_CHILD_SUBREAPER:
      group.childSubreaper = a !== 0;
      return 0;
    case abi.PR_GET_CHILD_SUBREAPER:
      writeU32(task.memory, a, group.childSubreaper ? 1 : 0);
      return 0;
    case abi.PR_SET_NO_NEW_PRIVS:
      if (a !== 1) throw EINVAL;
      noMore();
      task.creds = { ...creds, noNewPrivs: true };
      return 0;
    case abi.PR_GET_NO_NEW_PRIVS:
      if (a !== 0) throw EINVAL;
      noMore();
      return creds.noNewPrivs ? 1 : 0;
    case abi.PR_GET_TID_ADDRESS:
      writeU64(task.memory, a, task.clearChildTid);
      return 0;
    case abi.PR_GET_THP_DISABLE:
      if (a !== 0) throw EINVAL;
      noMore();
      return 0;
    case abi.PR_SET_THP_DISABLE:
      noMore();
      return 0;
    case abi.PR_GET_SECCOMP:
      return 0;
    case abi.PR_SET_VMA:
      // Names are advice; a kernel without CONFIG_ANON_VMA_NAME answers like this too.
      throw EINVAL;
    default:
      throw EINVAL;
  }
});

function setSecurebits(task: Task, wanted: number): number {
  const { creds } = task;
  const locks = ((creds.securebits & SECURE_ALL_LOCKS) >>> 1) & (creds.securebits ^ wanted);
  const unlocks = creds.securebits & SECURE_ALL_LOCKS & ~wanted;
  const unknown = wanted & ~(SECURE_ALL_LOCKS | SECURE_ALL_BITS);
  if (locks !== 0 || unlocks !== 0 || unknown !== 0) throw EPERM;
  if (!capableIn(task, cap.CAP_SETPCAP, creds.userNamespace)) throw EPERM;
  task.creds = { ...creds, securebits: wanted };
  return 0;
}

function changeAmbient(task: Task, operation: number, capability: number, c: number, d: number): number {
  const { creds } = task;
  if (c !== 0 || d !== 0) throw EINVAL;
  if (operation === abi.PR_CAP_AMBIENT_CLEAR_ALL) {
    if (capability !== 0) throw EINVAL;
    task.creds = { ...creds, ambient: 0n };
    return 0;
  }
  checkCapability(capability);
  const one = bit(capability);
  switch (operation) {
    case abi.PR_CAP_AMBIENT_IS_SET:
      return (creds.ambient & one) !== 0n ? 1 : 0;
    case abi.PR_CAP_AMBIENT_LOWER:
      task.creds = { ...creds, ambient: creds.ambient & ~one };
      return 0;
    case abi.PR_CAP_AMBIENT_RAISE:
      if ((creds.permitted & creds.inheritable & one) === 0n) throw EPERM;
      if ((creds.securebits & abi.SECBIT_NO_CAP_AMBIENT_RAISE) !== 0) throw EPERM;
      task.creds = { ...creds, ambient: creds.ambient | one };
      return 0;
    default:
      throw EINVAL;
  }
}

export const arch_prctl = handler("arch_prctl", (task, code, address) => {
  const { cpu } = task.kernel.engine;
  switch (code) {
    case abi.ARCH_SET_FS:
    case abi.ARCH_SET_GS:
      if (address >= TASK_SIZE) throw EPERM;
      cpu.set(code === abi.ARCH_SET_FS ? FS_BASE : GS_BASE, address);
      return 0;
    case abi.ARCH_GET_FS:
    case abi.ARCH_GET_GS:
      writeU64(task.memory, address, cpu.get(code === abi.ARCH_GET_FS ? FS_BASE : GS_BASE));
      return 0;
    case abi.ARCH_GET_CPUID:
      return 1;
    case abi.ARCH_SET_CPUID:
      throw ENODEV;
    default:
      throw EINVAL;
  }
});

/** Words of 32 bits in each capability set, by header version. */
const WORDS = new Map([
  [cap._LINUX_CAPABILITY_VERSION_1, 1],
  [cap._LINUX_CAPABILITY_VERSION_2, 2],
  [cap._LINUX_CAPABILITY_VERSION_3, 2],
]);

/** @throws EFAULT EINVAL */
function readHeader(task: Task, header: number): { words: number; pid: number } {
  const version = readU32(task.memory, header);
  const words = WORDS.get(version);
  if (words === undefined) {
    writeU32(task.memory, header, cap._LINUX_CAPABILITY_VERSION_3);
    throw EINVAL;
  }
  return { words, pid: readU32(task.memory, header + 4) | 0 };
}

export const capget = handler("capget", (task, header, data) => {
  let parsed: { words: number; pid: number };
  try {
    parsed = readHeader(task, header);
  } catch (error) {
    // With data NULL the call only asks for the version.
    if (error === EINVAL && data === 0) return 0;
    throw error;
  }
  const { words, pid } = parsed;
  if (pid < 0) throw EINVAL;
  const target = pid === 0 ? task : task.pid.namespace.find(pid)?.task;
  if (!target) throw ESRCH;
  if (data === 0) return 0;
  const bytes = new Uint8Array(words * 12);
  const view = new DataView(bytes.buffer);
  const { effective, permitted, inheritable } = target.creds;
  for (let word = 0; word < words; word++) {
    [effective, permitted, inheritable].forEach((set, index) => {
      view.setUint32(word * 12 + index * 4, Number((set >> BigInt(word * 32)) & 0xffffffffn), true);
    });
  }
  copyToUser(task.memory, data, bytes);
  return 0;
});

export const capset = handler("capset", (task, header, data) => {
  const { words, pid } = readHeader(task, header);
  if (pid !== 0 && pid !== task.tid) throw EPERM;
  if (data === 0) throw EFAULT;
  const view = new DataView(readBytes(task.memory, data, words * 12).buffer);
  const sets = [0n, 0n, 0n];
  for (let word = 0; word < words; word++) {
    for (let index = 0; index < 3; index++) {
      sets[index]! |= BigInt(view.getUint32(word * 12 + index * 4, true)) << BigInt(word * 32);
    }
  }
  const [effective, permitted, inheritable] = sets.map((set) => set & ALL_CAPABILITIES) as [bigint, bigint, bigint];
  const { creds } = task;
  const mayInherit = capableIn(task, cap.CAP_SETPCAP, creds.userNamespace)
    ? creds.inheritable | creds.bounding
    : creds.inheritable;
  if ((inheritable & ~(mayInherit | creds.permitted)) !== 0n) throw EPERM;
  if ((inheritable & ~(creds.inheritable | creds.bounding)) !== 0n) throw EPERM;
  if ((permitted & ~creds.permitted) !== 0n) throw EPERM;
  if ((effective & ~permitted) !== 0n) throw EPERM;
  task.creds = { ...creds, effective, permitted, inheritable, ambient: creds.ambient & permitted & inheritable };
  return 0;
});

export const personality = handler("personality", (task, persona) => {
  const old = task.personality;
  if (persona >>> 0 !== 0xffffffff) task.personality = persona >>> 0;
  return old;
});
