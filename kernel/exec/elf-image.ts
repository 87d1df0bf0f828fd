/** Reading an ELF64 file's headers with every offset and length checked before use (elf(5)). */
import { EINVAL, EIO, ELIBBAD, ENOEXEC } from "../../abi/errno.ts";
import {
  EI_CLASS,
  EI_DATA,
  ELFCLASS64,
  ELFDATA2LSB,
  ELF_MAGIC,
  EM_X86_64,
  ET_DYN,
  ET_EXEC,
  Elf64_Ehdr,
  Elf64_Phdr,
  PF_X,
  PT_GNU_STACK,
  PT_INTERP,
  PT_LOAD,
} from "../../abi/elf.ts";
import { PATH_MAX } from "../../abi/fcntl.ts";
import { PAGE_SIZE, TASK_SIZE, pageCeil, pageFloor } from "../mm/layout.ts";

/** Random access to the bytes of a file. */
export interface ImageFile {
  /** Fills `into` from `position`; returns the bytes read, fewer at the end of the file. */
  readAt(into: Uint8Array, position: number): number;
}

/** One PT_LOAD segment; all in bytes. */
export interface Segment {
  offset: number;
  address: number;
  fileSize: number;
  memorySize: number;
  /** PF_R | PF_W | PF_X. */
  flags: number;
}

export interface ElfImage {
  /** Position-independent: addresses are relative to where it is put. */
  relocatable: boolean;
  entry: number;
  segments: Segment[];
  headerOffset: number;
  headerCount: number;
  /** Path of the program interpreter. */
  interpreter: string | null;
  executableStack: boolean;
  /** First and last page boundary of all segments. */
  start: number;
  end: number;
}

const MAX_HEADER_BYTES = 65536;

/** True if the file begins like an ELF file. */
export function isElf(start: Uint8Array): boolean {
  return start.length >= 4 && new DataView(start.buffer, start.byteOffset).getUint32(0, true) === ELF_MAGIC;
}

/** @throws ENOEXEC for what is no x86-64 program; EIO EINVAL for a broken one */
export function readElfImage(file: ImageFile): ElfImage {
  const bytes = new Uint8Array(Elf64_Ehdr.size);
  if (file.readAt(bytes, 0) < bytes.length || !isElf(bytes)) throw ENOEXEC;
  const header = Elf64_Ehdr.decode(new DataView(bytes.buffer), 0);
  if (bytes[EI_CLASS] !== ELFCLASS64 || bytes[EI_DATA] !== ELFDATA2LSB) throw ENOEXEC;
  if (header.e_machine !== EM_X86_64) throw ENOEXEC;
  if (header.e_type !== ET_EXEC && header.e_type !== ET_DYN) throw ENOEXEC;
  if (header.e_phentsize !== Elf64_Phdr.size || header.e_phnum < 1) throw ENOEXEC;
  const size = header.e_phnum * Elf64_Phdr.size;
  if (size > MAX_HEADER_BYTES) throw ENOEXEC;

  const table = new Uint8Array(size);
  const headerOffset = Number(header.e_phoff);
  if (headerOffset > Number.MAX_SAFE_INTEGER - size) throw ENOEXEC;
  if (file.readAt(table, headerOffset) < size) throw EIO;
  const view = new DataView(table.buffer);
  const image: ElfImage = {
    relocatable: header.e_type === ET_DYN,
    entry: Number(header.e_entry),
    segments: [],
    headerOffset,
    headerCount: header.e_phnum,
    interpreter: null,
    executableStack: true,
    start: 0,
    end: 0,
  };
  for (let index = 0; index < header.e_phnum; index++) {
    const entry = Elf64_Phdr.decode(view, index * Elf64_Phdr.size);
    if (entry.p_type === PT_LOAD) addSegment(image, entry);
    else if (entry.p_type === PT_GNU_STACK) image.executableStack = (entry.p_flags & PF_X) !== 0;
    else if (entry.p_type === PT_INTERP && image.interpreter === null) {
      image.interpreter = readInterpreter(file, Number(entry.p_offset), Number(entry.p_filesz));
    }
  }
  const first = image.segments[0];
  if (!first) throw ENOEXEC;
  image.start = pageFloor(first.address);
  image.end = Math.max(...image.segments.map((segment) => pageCeil(segment.address + segment.memorySize)));
  if (image.entry >= TASK_SIZE) throw EINVAL;
  return image;
}

/** An interpreter must be a program too, but the errors say that it is the library that is bad. @throws ELIBBAD */
export function readInterpreterImage(file: ImageFile): ElfImage {
  try {
    return readElfImage(file);
  } catch (error) {
    throw error === ENOEXEC ? ELIBBAD : error;
  }
}

function addSegment(image: ElfImage, entry: Elf64_Phdr): void {
  const segment: Segment = {
    offset: Number(entry.p_offset),
    address: Number(entry.p_vaddr),
    fileSize: Number(entry.p_filesz),
    memorySize: Number(entry.p_memsz),
    flags: entry.p_flags,
  };
  if (segment.fileSize > segment.memorySize || segment.memorySize > TASK_SIZE) throw EINVAL;
  if (segment.address > TASK_SIZE - segment.memorySize) throw EINVAL;
  if (segment.offset > Number.MAX_SAFE_INTEGER - TASK_SIZE) throw EINVAL;
  // A page of the file can only be mapped at the same place in a page of memory.
  if (segment.offset % PAGE_SIZE !== segment.address % PAGE_SIZE) throw EINVAL;
  if (segment.memorySize > 0) image.segments.push(segment);
}

function readInterpreter(file: ImageFile, offset: number, length: number): string {
  if (length < 2 || length > PATH_MAX || offset > Number.MAX_SAFE_INTEGER - length) throw ENOEXEC;
  const bytes = new Uint8Array(length);
  if (file.readAt(bytes, offset) < length) throw EIO;
  if (bytes[length - 1] !== 0) throw ENOEXEC;
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
}
