/** The code of an ELF file as it lies in the file, with its symbols (elf(5)). Nothing is loaded or relocated. */
import { Elf64_Ehdr, Elf64_Shdr, Elf64_Sym, PF_X, SHT_DYNSYM, SHT_SYMTAB } from "../../abi/elf.ts";
import { readElfImage, type ImageFile } from "../../kernel/exec/elf-image.ts";

export interface CodeSymbol {
  readonly name: string;
  readonly address: number;
  /** Bytes; 0 where the file does not say. */
  readonly size: number;
}

export interface CodeSegment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface ProgramCode {
  readonly entry: number;
  /** Executable ones. */
  readonly segments: readonly CodeSegment[];
  /** Functions and labels in them, by address. */
  readonly symbols: readonly CodeSymbol[];
}

const STT_NOTYPE = 0;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
const CODE_TYPES = [STT_NOTYPE, STT_FUNC, STT_GNU_IFUNC];

/** @throws Errno as execve(2) would for what is no x86-64 program */
export function readProgramCode(bytes: Uint8Array): ProgramCode {
  const file: ImageFile = {
    readAt(into, position) {
      const part = bytes.subarray(Math.min(position, bytes.length), position + into.length);
      into.set(part);
      return part.length;
    },
  };
  const image = readElfImage(file);
  const segments = image.segments
    .filter(({ flags }) => (flags & PF_X) !== 0)
    .map(({ address, offset, fileSize }) => ({ address, bytes: bytes.subarray(offset, offset + fileSize) }));
  const isCode = ({ address }: CodeSymbol): boolean => segmentAt({ segments }, address) !== undefined;
  const symbols = readSymbols(bytes).filter(isCode);
  return { entry: image.entry, segments, symbols: symbols.sort((a, b) => a.address - b.address || b.size - a.size) };
}

/** The segment that an address lies in. */
export function segmentAt({ segments }: Pick<ProgramCode, "segments">, address: number): CodeSegment | undefined {
  return segments.find(({ address: start, bytes }) => address >= start && address < start + bytes.length);
}

/** The symbol an address belongs to: the last one before it, unless that ends before it. */
export function symbolAt({ symbols }: ProgramCode, address: number): CodeSymbol | undefined {
  const before = symbols.filter((symbol) => symbol.address <= address);
  const nearest = before.findLast(({ size, address: start }) => size > 0 && address < start + size);
  const label = before.findLast(({ size }) => size === 0);
  return label && label.address > (nearest?.address ?? -1) ? label : nearest;
}

/** `main`, `main+0x12`, or "" where no symbol is. */
export function nameOf(code: ProgramCode, address: number): string {
  const symbol = segmentAt(code, address) && symbolAt(code, address);
  if (!symbol) return "";
  const offset = address - symbol.address;
  return offset === 0 ? symbol.name : `${symbol.name}+0x${offset.toString(16)}`;
}

/** Symbols of sections that are whole; a damaged file has fewer. */
function readSymbols(bytes: Uint8Array): CodeSymbol[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { e_shoff, e_shnum, e_shentsize } = Elf64_Ehdr.decode(view, 0);
  const fits = (offset: number, size: number): boolean => offset + size <= bytes.length;
  const table = Number(e_shoff);
  if (e_shentsize !== Elf64_Shdr.size || !fits(table, e_shnum * e_shentsize)) return [];
  const sections = Array.from({ length: e_shnum }, (_, i) => Elf64_Shdr.decode(view, table + i * Elf64_Shdr.size));
  const tables = sections.filter(({ sh_type }) => sh_type === SHT_SYMTAB || sh_type === SHT_DYNSYM);
  return tables.flatMap(({ sh_offset, sh_size, sh_link }) => {
    const strings = sections[sh_link];
    if (!strings || !fits(Number(sh_offset), Number(sh_size))) return [];
    return Array.from({ length: Math.floor(Number(sh_size) / Elf64_Sym.size) }, (_, i) => {
      const symbol = Elf64_Sym.decode(view, Number(sh_offset) + i * Elf64_Sym.size);
      const name = readName(bytes, Number(strings.sh_offset) + symbol.st_name);
      return { symbol, name };
    })
      .filter(({ symbol, name }) => name !== "" && symbol.st_shndx !== 0 && isCodeType(symbol))
      .map(({ symbol, name }) => ({ name, address: Number(symbol.st_value), size: Number(symbol.st_size) }));
  });
}

function isCodeType({ st_info }: Elf64_Sym): boolean {
  return CODE_TYPES.includes(st_info[0]! & 15);
}

function readName(bytes: Uint8Array, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return offset < bytes.length && end > offset ? new TextDecoder().decode(bytes.subarray(offset, end)) : "";
}
