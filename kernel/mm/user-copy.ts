/**
 * The one door to a process's memory. Ranges are checked as access_ok does, pages are faulted in as the processor
 * would, copy-on-write is broken before a write, and what cannot be reached is EFAULT, never a signal.
 */
import { EFAULT, ENAMETOOLONG, ENOMEM } from "../../abi/errno.ts";
import type { AddressSpace } from "./address-space.ts";
import { PAGE_MASK, PAGE_SIZE, TASK_SIZE } from "./layout.ts";
import { ACCESS_READ, ACCESS_WRITE, FAULT_RESOLVED, handleFault } from "./page-fault.ts";
import { PTE_DIRTY, PTE_PRESENT, PTE_USER, PTE_WRITE } from "./page-table.ts";

const TWO_32 = 4294967296;

/** EFAULT unless [address, address + length) lies in user space. */
export function checkRange(address: number, length: number): void {
  if (length > TASK_SIZE || address > TASK_SIZE - length || address < 0) throw EFAULT;
}

/** Physical address of a byte, made present (and writable). @throws EFAULT */
function translate(space: AddressSpace, address: number, write: boolean): number {
  const words = space.frames.memory.u32;
  const needed = write ? PTE_PRESENT | PTE_USER | PTE_WRITE : PTE_PRESENT | PTE_USER;
  for (let attempt = 0; attempt < 3; attempt++) {
    const entry = space.table.find(address);
    if (entry !== 0) {
      const low = words[entry]!;
      if ((low & needed) === needed) {
        const pfn = low >>> 12;
        if (write) {
          words[entry] = low | PTE_DIRTY;
          space.frames.written(pfn);
        }
        return pfn * PAGE_SIZE + (address & PAGE_MASK);
      }
    }
    if (handleFault(space, address, write ? ACCESS_WRITE : ACCESS_READ) !== FAULT_RESOLVED) throw EFAULT;
  }
  throw EFAULT;
}

/** Copies bytes out of user memory; all or EFAULT. */
export function copyFromUser(space: AddressSpace, address: number, into: Uint8Array): void {
  checkRange(address, into.length);
  const { u8 } = space.frames.memory;
  for (let done = 0; done < into.length;) {
    const at = address + done;
    const chunk = Math.min(into.length - done, PAGE_SIZE - (at & PAGE_MASK));
    const physical = translate(space, at, false);
    into.set(u8.subarray(physical, physical + chunk), done);
    done += chunk;
  }
}

/** A fresh copy of user memory. @throws EFAULT; ENOMEM for more than the machine has */
export function readBytes(space: AddressSpace, address: number, length: number): Uint8Array {
  checkRange(address, length);
  if (length > space.frames.memory.buffer.byteLength) throw ENOMEM;
  const bytes = new Uint8Array(length);
  copyFromUser(space, address, bytes);
  return bytes;
}

/** Copies bytes into user memory; on EFAULT a first part may have been written, as with Linux's copy_to_user. */
export function copyToUser(space: AddressSpace, address: number, from: Uint8Array): void {
  checkRange(address, from.length);
  const { u8 } = space.frames.memory;
  for (let done = 0; done < from.length;) {
    const at = address + done;
    const chunk = Math.min(from.length - done, PAGE_SIZE - (at & PAGE_MASK));
    const physical = translate(space, at, true);
    u8.set(chunk === from.length ? from : from.subarray(done, done + chunk), physical);
    done += chunk;
  }
}

/**
 * Calls back with each piece of a user range as a view on RAM, in order, for transfers without a second copy. The
 * callback answers how many bytes it has used; fewer than offered ends the walk.
 * @returns bytes used in all; a bad page after the first bytes shortens the transfer instead of failing it
 * @throws EFAULT if not even the first byte can be reached
 */
export function forEachPiece(
  space: AddressSpace,
  address: number,
  length: number,
  write: boolean,
  use: (piece: Uint8Array) => number,
): number {
  checkRange(address, length);
  const { u8 } = space.frames.memory;
  let done = 0;
  while (done < length) {
    const at = address + done;
    let chunk = Math.min(length - done, PAGE_SIZE - (at & PAGE_MASK));
    let physical: number;
    try {
      physical = translate(space, at, write);
      // Physically contiguous pages make one piece.
      while (done + chunk < length) {
        if (translate(space, at + chunk, write) !== physical + chunk) break;
        chunk += Math.min(length - done - chunk, PAGE_SIZE);
      }
    } catch (error) {
      if (error !== EFAULT) throw error;
      physical = peek(space, at, write);
      if (physical < 0) {
        if (done === 0) throw EFAULT;
        return done;
      }
    }
    const used = use(u8.subarray(physical, physical + chunk));
    done += used;
    if (used < chunk) break;
  }
  return done;
}

/** Like `translate` but -1 where that throws. */
function peek(space: AddressSpace, address: number, write: boolean): number {
  try {
    return translate(space, address, write);
  } catch (error) {
    if (error !== EFAULT) throw error;
    return -1;
  }
}

export function readU8(space: AddressSpace, address: number): number {
  checkRange(address, 1);
  return space.frames.memory.u8[translate(space, address, false)]!;
}

const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

export function readU32(space: AddressSpace, address: number): number {
  checkRange(address, 4);
  if ((address & PAGE_MASK) <= PAGE_SIZE - 4) {
    return space.frames.memory.view.getUint32(translate(space, address, false), true);
  }
  copyFromUser(space, address, scratchBytes.subarray(0, 4));
  return scratch.getUint32(0, true);
}

export const readI32 = (space: AddressSpace, address: number): number => readU32(space, address) | 0;

/** A 64-bit word as an unsigned number; exact below 2^53. */
export function readU64(space: AddressSpace, address: number): number {
  checkRange(address, 8);
  const low = readU32(space, address);
  return readU32(space, address + 4) * TWO_32 + low;
}

/** A 64-bit word as a signed number; exact in magnitude below 2^53. */
export function readI64(space: AddressSpace, address: number): number {
  checkRange(address, 8);
  const low = readU32(space, address);
  return (readU32(space, address + 4) | 0) * TWO_32 + low;
}

export function writeU32(space: AddressSpace, address: number, value: number): void {
  checkRange(address, 4);
  if ((address & PAGE_MASK) <= PAGE_SIZE - 4) {
    space.frames.memory.view.setUint32(translate(space, address, true), value, true);
    return;
  }
  // Both pages must be writable before either is written: a store is one access.
  translate(space, address, true);
  translate(space, address + 3, true);
  scratch.setUint32(0, value, true);
  copyToUser(space, address, scratchBytes.subarray(0, 4));
}

/** Stores an integer of magnitude below 2^53 as a 64-bit word. */
export function writeU64(space: AddressSpace, address: number, value: number): void {
  checkRange(address, 8);
  scratch.setUint32(0, value >>> 0, true);
  scratch.setUint32(4, Math.floor(value / TWO_32), true);
  translate(space, address, true);
  translate(space, address + 7, true);
  copyToUser(space, address, scratchBytes);
}

/** Zeroes a range of user memory. @throws EFAULT */
export function clearUser(space: AddressSpace, address: number, length: number): void {
  checkRange(address, length);
  const { u8 } = space.frames.memory;
  for (let done = 0; done < length;) {
    const at = address + done;
    const chunk = Math.min(length - done, PAGE_SIZE - (at & PAGE_MASK));
    const physical = translate(space, at, true);
    u8.fill(0, physical, physical + chunk);
    done += chunk;
  }
}

/**
 * A NUL-terminated string's bytes without the NUL.
 * @param limit bytes including the NUL; longer strings give `tooLong`
 * @throws EFAULT
 */
export function readCString(space: AddressSpace, address: number, limit: number, tooLong = ENAMETOOLONG): Uint8Array {
  const { u8 } = space.frames.memory;
  const parts: Uint8Array[] = [];
  for (let length = 0; length < limit;) {
    const at = address + length;
    checkRange(at, 1);
    const physical = translate(space, at, false);
    const end = physical + Math.min(limit - length, PAGE_SIZE - (at & PAGE_MASK));
    const piece = u8.subarray(physical, end);
    const nul = piece.indexOf(0);
    const found = nul >= 0;
    parts.push(found ? piece.slice(0, nul) : piece.slice());
    length += parts.at(-1)!.length;
    if (found) return parts.length === 1 ? parts[0]! : joinBytes(parts, length);
  }
  throw tooLong;
}

function joinBytes(parts: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
