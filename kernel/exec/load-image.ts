/** Mapping an ELF image's segments into a new address space (execve(2)). */
import { EINVAL, ENOMEM } from "../../abi/errno.ts";
import { PF_R, PF_W, PF_X } from "../../abi/elf.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { MMAP_MIN_ADDRESS, PAGE_SIZE, TASK_SIZE, pageCeil, pageFloor } from "../mm/layout.ts";
import { clearUser } from "../mm/user-copy.ts";
import type { MappedFile } from "../mm/vma.ts";
import { Errno } from "../../abi/errno.ts";
import type { ElfImage, Segment } from "./elf-image.ts";

export interface LoadedImage {
  /** What was added to the addresses in the file. */
  bias: number;
  entry: number;
  /** Address of the program headers in memory, 0 if they are not mapped. */
  headers: number;
  /** First address behind everything. */
  end: number;
}

const protection = (flags: number): number =>
  ((flags & PF_R) !== 0 ? PROT_READ : 0) |
  ((flags & PF_W) !== 0 ? PROT_WRITE : 0) |
  ((flags & PF_X) !== 0 ? PROT_EXEC : 0);

/**
 * Maps an image; a relocatable one at `base`, or where there is room if that is 0.
 * @throws EEXIST if segments overlap; EINVAL ENOMEM
 */
export function loadImage(space: AddressSpace, image: ElfImage, file: MappedFile, base: number): LoadedImage {
  let bias = 0;
  if (image.relocatable) {
    const size = image.end - image.start;
    if (size > TASK_SIZE / 2) throw ENOMEM;
    const start = base !== 0 ? base : space.findRoom(size, false);
    bias = start - image.start;
  } else if (image.start < MMAP_MIN_ADDRESS) {
    throw EINVAL;
  }
  let headers = 0;
  for (const segment of image.segments) {
    if (segment.address + bias < 0 || segment.address + segment.memorySize + bias > TASK_SIZE) throw EINVAL;
    mapSegment(space, segment, file, bias);
    const inside = image.headerOffset - segment.offset;
    if (headers === 0 && inside >= 0 && inside < segment.fileSize) headers = segment.address + bias + inside;
  }
  return { bias, entry: image.entry + bias, headers, end: image.end + bias };
}

function mapSegment(space: AddressSpace, segment: Segment, file: MappedFile, bias: number): void {
  const address = segment.address + bias;
  const start = pageFloor(address);
  const fileEnd = address + segment.fileSize;
  const memoryEnd = pageCeil(address + segment.memorySize);
  const prot = protection(segment.flags);
  const mappedEnd = segment.fileSize === 0 ? start : pageCeil(fileEnd);
  if (mappedEnd > start) {
    space.mapNoReplace(start, {
      length: mappedEnd - start,
      prot,
      store: file.store,
      storePage: pageFloor(segment.offset) / PAGE_SIZE,
      file,
    });
  }
  if (segment.memorySize > segment.fileSize && fileEnd < mappedEnd && (prot & PROT_WRITE) !== 0) {
    clearTail(space, fileEnd, mappedEnd);
  }
  if (memoryEnd > mappedEnd) space.mapNoReplace(mappedEnd, { length: memoryEnd - mappedEnd, prot });
}

/** The last page of the file's part is zero behind it; where the file is too short the program will see SIGBUS. */
function clearTail(space: AddressSpace, from: number, to: number): void {
  try {
    clearUser(space, from, to - from);
  } catch (error) {
    if (!(error instanceof Errno) || error === ENOMEM) throw error;
  }
}
