/** mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), madvise(2), msync(2), mincore(2), mlock(2). */
import { EACCES, EINVAL, ENOMEM, EOVERFLOW, EPERM } from "../../abi/errno.ts";
import * as abi from "../../abi/mman.ts";
import { handler } from "../dispatch.ts";
import { PROT_ALL, type MappingRequest } from "../mm/address-space.ts";
import { MMAP_MIN_ADDRESS, PAGE_SIZE, TASK_SIZE, pageCeil } from "../mm/layout.ts";
import { ACCESS_READ, ACCESS_WRITE, FAULT_RESOLVED, handleFault } from "../mm/page-fault.ts";
import { PageStore } from "../mm/page-store.ts";
import { copyToUser } from "../mm/user-copy.ts";
import type { Task } from "../task/task.ts";

const unaligned = (value: number): boolean => value % PAGE_SIZE !== 0;

export const mmap = handler("mmap", (task, address, length, prot, flags, fd, offset) => {
  if (unaligned(offset)) throw EINVAL;
  const anonymous = (flags & abi.MAP_ANONYMOUS) !== 0;
  const file = anonymous ? null : task.files.get(fd);
  if (length === 0) throw EINVAL;
  const size = pageCeil(length);
  if (size > TASK_SIZE) throw ENOMEM;
  if (offset < 0 || offset + size > Number.MAX_SAFE_INTEGER) throw EOVERFLOW;
  const type = flags & abi.MAP_TYPE;
  const shared = type === abi.MAP_SHARED || type === abi.MAP_SHARED_VALIDATE;
  if (!shared && type !== abi.MAP_PRIVATE) throw EINVAL;
  const request: MappingRequest = {
    length: size,
    prot: prot & PROT_ALL,
    shared,
    growsDown: (flags & abi.MAP_GROWSDOWN) !== 0,
    noReserve: (flags & abi.MAP_NORESERVE) !== 0,
  };
  if (file) {
    if (!file.readable) throw EACCES;
    if (shared && !file.writable) {
      if ((prot & abi.PROT_WRITE) !== 0) throw EACCES;
      request.maxProt = PROT_ALL & ~abi.PROT_WRITE;
    }
    if (file.path?.mount.attributes.noExec === true) {
      if ((prot & abi.PROT_EXEC) !== 0) throw EPERM;
      request.maxProt = (request.maxProt ?? PROT_ALL) & ~abi.PROT_EXEC;
    }
    file.checkMap(prot, shared);
    const mapped = file.mappedFile();
    request.file = mapped;
    request.store = mapped.store;
    request.storePage = offset / PAGE_SIZE;
  } else if (shared) {
    const store = new PageStore(task.kernel.frames);
    store.size = size;
    request.store = store;
    request.file = anonymousShared(store);
  }
  const result = placeMapping(task, address, flags, request);
  if ((flags & abi.MAP_POPULATE) !== 0) populate(task, result, result + size, (prot & abi.PROT_WRITE) !== 0);
  return result;
});

/** Shared anonymous memory lives as long as some process maps it. */
function anonymousShared(store: PageStore): NonNullable<MappingRequest["file"]> {
  let users = 0;
  return {
    store,
    path: "/dev/zero (deleted)",
    device: 1,
    inode: 0,
    retain: () => void users++,
    release: () => {
      if (--users === 0) store.dispose();
    },
  };
}

function placeMapping(task: Task, address: number, flags: number, request: MappingRequest): number {
  const { memory } = task;
  const exact = (flags & (abi.MAP_FIXED | abi.MAP_FIXED_NOREPLACE)) !== 0;
  if (!exact) return memory.map(address, request, (flags & abi.MAP_32BIT) !== 0);
  if (address < MMAP_MIN_ADDRESS && !unaligned(address)) throw EPERM;
  const replace = (flags & abi.MAP_FIXED_NOREPLACE) === 0;
  return replace ? memory.mapFixed(address, request) : memory.mapNoReplace(address, request);
}

/** Touches every page of the range; stops at the first that fails, as mmap does not report it. */
function populate(task: Task, start: number, end: number, write: boolean): boolean {
  for (let at = start; at < end; at += PAGE_SIZE) {
    if (handleFault(task.memory, at, write ? ACCESS_WRITE : ACCESS_READ) !== FAULT_RESOLVED) return false;
  }
  return true;
}

export const munmap = handler("munmap", (task, address, length) => {
  if (unaligned(address) || length === 0 || address > TASK_SIZE || length > TASK_SIZE - address) throw EINVAL;
  task.memory.unmap(address, pageCeil(length));
  return 0;
});

export const mprotect = handler("mprotect", (task, address, length, prot) => {
  const grows = prot & (abi.PROT_GROWSDOWN | abi.PROT_GROWSUP);
  if (grows === (abi.PROT_GROWSDOWN | abi.PROT_GROWSUP) || unaligned(address)) throw EINVAL;
  if (length === 0) return 0;
  if (length > TASK_SIZE || address > TASK_SIZE - length) throw ENOMEM;
  if ((prot & ~(PROT_ALL | abi.PROT_SEM | abi.PROT_GROWSDOWN | abi.PROT_GROWSUP)) !== 0) throw EINVAL;
  let start = address;
  if ((grows & abi.PROT_GROWSDOWN) !== 0) {
    const area = task.memory.vmas.find(address);
    if (!area?.growsDown) throw EINVAL;
    start = area.start;
  }
  task.memory.protect(start, pageCeil(address + length) - start, prot & PROT_ALL);
  return 0;
});

export const mremap = handler("mremap", (task, address, oldLength, newLength, flags, target) => {
  const known = abi.MREMAP_MAYMOVE | abi.MREMAP_FIXED | abi.MREMAP_DONTUNMAP;
  const mayMove = (flags & abi.MREMAP_MAYMOVE) !== 0;
  const fixed = (flags & abi.MREMAP_FIXED) !== 0;
  if ((flags & ~known) !== 0 || (fixed && !mayMove) || unaligned(address)) throw EINVAL;
  const keep = (flags & abi.MREMAP_DONTUNMAP) !== 0;
  const [oldSize, newSize] = [pageCeil(oldLength), pageCeil(newLength)];
  if (newSize === 0 || newSize > TASK_SIZE || address > TASK_SIZE - oldSize) throw EINVAL;
  if (fixed) {
    if (unaligned(target) || target > TASK_SIZE - newSize) throw EINVAL;
    if (target < address + oldSize && address < target + newSize) throw EINVAL;
  }
  if (oldSize === 0 || (keep && (!mayMove || oldSize !== newSize))) throw EINVAL;
  return task.memory.remap(address, oldSize, newSize, mayMove, fixed ? target : -1, keep);
});

export const brk = handler("brk", (task, address) => task.memory.setBreak(address));

export const madvise = handler("madvise", (task, address, length, advice) => {
  if (unaligned(address)) throw EINVAL;
  const end = address + pageCeil(length);
  if (end < address || end > TASK_SIZE) throw EINVAL;
  const { memory } = task;
  const known = abi.madviseAdvice.nameOf(advice) !== undefined;
  if (!known) throw EINVAL;
  if (end === address) return 0;
  switch (advice) {
    case abi.MADV_DONTNEED:
    case abi.MADV_DONTNEED_LOCKED:
    case abi.MADV_FREE:
      memory.discardPages(address, end);
      break;
    case abi.MADV_DONTFORK:
    case abi.MADV_DOFORK:
      for (const area of memory.isolate(address, end)) area.dontFork = advice === abi.MADV_DONTFORK;
      break;
    case abi.MADV_WIPEONFORK:
    case abi.MADV_KEEPONFORK:
      for (const area of memory.isolate(address, end)) {
        if (area.shared || area.store) throw EINVAL;
        area.wipeOnFork = advice === abi.MADV_WIPEONFORK;
      }
      break;
    case abi.MADV_POPULATE_READ:
    case abi.MADV_POPULATE_WRITE:
      if (!populate(task, address, end, advice === abi.MADV_POPULATE_WRITE)) throw ENOMEM;
      break;
    case abi.MADV_REMOVE:
    case abi.MADV_HWPOISON:
    case abi.MADV_SOFT_OFFLINE:
    case abi.MADV_COLLAPSE:
    case abi.MADV_GUARD_INSTALL:
    case abi.MADV_GUARD_REMOVE:
      throw EINVAL;
  }
  memory.requireMapped(address, end);
  return 0;
});

export const msync = handler("msync", (task, address, length, flags) => {
  const both = abi.MS_ASYNC | abi.MS_SYNC;
  if ((flags & ~(both | abi.MS_INVALIDATE)) !== 0 || unaligned(address) || (flags & both) === both) throw EINVAL;
  const end = address + pageCeil(length);
  if (end > TASK_SIZE) throw ENOMEM;
  if (end === address) return 0;
  task.memory.requireMapped(address, end);
  if ((flags & abi.MS_SYNC) !== 0) task.memory.writeBack(address, end);
  return 0;
});

export const mincore = handler("mincore", (task, address, length, vector) => {
  if (unaligned(address)) throw EINVAL;
  const end = address + pageCeil(length);
  if (end > TASK_SIZE) throw ENOMEM;
  if (end === address) return 0;
  task.memory.requireMapped(address, end);
  for (let at = address, to = vector; at < end; at += PAGE_SIZE * PAGE_SIZE, to += PAGE_SIZE) {
    copyToUser(task.memory, to, residency(task, at, Math.min(end, at + PAGE_SIZE * PAGE_SIZE)));
  }
  return 0;
});

/** A byte for each page: 1 if it is in memory. */
function residency(task: Task, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array((end - start) / PAGE_SIZE);
  task.memory.table.forEachPresent(start, end, (_entry, at) => {
    bytes[(at - start) / PAGE_SIZE] = 1;
  });
  return bytes;
}

/** Nothing is ever swapped out: locking only has to check its arguments and bring the pages in. */
function lockRange(task: Task, address: number, length: number, locked: boolean): number {
  const start = address - (address % PAGE_SIZE);
  const end = pageCeil(address + length);
  if (end > TASK_SIZE) throw EINVAL;
  if (end === start) return 0;
  task.memory.requireMapped(start, end);
  for (const area of task.memory.isolate(start, end)) area.locked = locked;
  task.memory.vmas.join(start, end);
  if (locked && !populate(task, start, end, false)) throw ENOMEM;
  return 0;
}

export const mlock = handler("mlock", (task, address, length) => lockRange(task, address, length, true));

export const mlock2 = handler("mlock2", (task, address, length, flags) => {
  if ((flags & ~1) !== 0) throw EINVAL;
  return lockRange(task, address, length, flags === 0);
});

export const munlock = handler("munlock", (task, address, length) => lockRange(task, address, length, false));

export const mlockall = handler("mlockall", (_task, flags) => {
  const known = abi.MCL_CURRENT | abi.MCL_FUTURE | abi.MCL_ONFAULT;
  if (flags === 0 || (flags & ~known) !== 0 || flags === abi.MCL_ONFAULT) throw EINVAL;
  return 0;
});

export const munlockall = handler("munlockall", () => 0);
