import { enumSet, flagSet } from "./flags.ts";
import { bytes, shown, struct, u16, u32, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

/** The first four bytes of e_ident, read as a little-endian word. */
export const ELF_MAGIC = 0x464c457f;
export const EI_CLASS = 4;
export const EI_DATA = 5;
export const EI_VERSION = 6;
export const EI_OSABI = 7;
export const EI_NIDENT = 16;
export const ELFCLASS32 = 1;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const EV_CURRENT = 1;
export const ELFOSABI_NONE = 0;
export const ELFOSABI_LINUX = 3;
export const EM_386 = 3;
export const EM_X86_64 = 62;
export const ET_NONE = 0;
export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;
export const elfTypes = enumSet("ELF types", { ET_NONE, ET_REL, ET_EXEC, ET_DYN, ET_CORE });

export const PT_NULL = 0;
export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_SHLIB = 5;
export const PT_PHDR = 6;
export const PT_TLS = 7;
export const PT_GNU_EH_FRAME = 0x6474e550;
export const PT_GNU_STACK = 0x6474e551;
export const PT_GNU_RELRO = 0x6474e552;
export const PT_GNU_PROPERTY = 0x6474e553;
export const programHeaderTypes = enumSet("program header types", {
  PT_NULL,
  PT_LOAD,
  PT_DYNAMIC,
  PT_INTERP,
  PT_NOTE,
  PT_SHLIB,
  PT_PHDR,
  PT_TLS,
  PT_GNU_EH_FRAME,
  PT_GNU_STACK,
  PT_GNU_RELRO,
  PT_GNU_PROPERTY,
});
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;
export const segmentFlags = flagSet("segment flags", { PF_X, PF_W, PF_R });

export const SHN_UNDEF = 0;
export const SHT_NULL = 0;
export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_RELA = 4;
export const SHT_NOBITS = 8;
export const SHT_DYNSYM = 11;
export const SHF_ALLOC = 2;
export const STT_NOTYPE = 0;
export const STT_OBJECT = 1;
export const STT_FUNC = 2;
export const STB_LOCAL = 0;
export const STB_GLOBAL = 1;
export const STB_WEAK = 2;
export const DT_NULL = 0;
export const DT_NEEDED = 1;
export const DT_HASH = 4;
export const DT_STRTAB = 5;
export const DT_SYMTAB = 6;
export const DT_STRSZ = 10;
export const DT_SONAME = 14;
export const DT_GNU_HASH = 0x6ffffef5;
export const DT_VERSYM = 0x6ffffff0;
export const DT_VERDEF = 0x6ffffffc;
export const DT_VERDEFNUM = 0x6ffffffd;
/** x86-64 relocation that a static PIE or the vDSO may contain: base plus addend. */
export const R_X86_64_RELATIVE = 8;

/** ELF64 file header, elf(5). */
export const Elf64_Ehdr = struct(
  "Elf64_Ehdr",
  {
    e_ident: bytes(16),
    e_type: shown(u16, elfTypes),
    e_machine: u16,
    e_version: u32,
    e_entry: shown(u64, "address"),
    e_phoff: u64,
    e_shoff: u64,
    e_flags: u32,
    e_ehsize: u16,
    e_phentsize: u16,
    e_phnum: u16,
    e_shentsize: u16,
    e_shnum: u16,
    e_shstrndx: u16,
  },
  { size: 64, page: "elf(5)" },
);
export type Elf64_Ehdr = TypeOf<typeof Elf64_Ehdr>;

/** ELF64 program header, elf(5). */
export const Elf64_Phdr = struct(
  "Elf64_Phdr",
  {
    p_type: shown(u32, programHeaderTypes),
    p_flags: shown(u32, segmentFlags),
    p_offset: u64,
    p_vaddr: shown(u64, "address"),
    p_paddr: shown(u64, "address"),
    p_filesz: u64,
    p_memsz: u64,
    p_align: u64,
  },
  { size: 56, page: "elf(5)" },
);
export type Elf64_Phdr = TypeOf<typeof Elf64_Phdr>;

/** ELF64 section header, elf(5). */
export const Elf64_Shdr = struct(
  "Elf64_Shdr",
  {
    sh_name: u32,
    sh_type: u32,
    sh_flags: u64,
    sh_addr: shown(u64, "address"),
    sh_offset: u64,
    sh_size: u64,
    sh_link: u32,
    sh_info: u32,
    sh_addralign: u64,
    sh_entsize: u64,
  },
  { size: 64, page: "elf(5)" },
);
export type Elf64_Shdr = TypeOf<typeof Elf64_Shdr>;

/** ELF64 symbol, elf(5). */
export const Elf64_Sym = struct(
  "Elf64_Sym",
  { st_name: u32, st_info: bytes(1), st_other: bytes(1), st_shndx: u16, st_value: shown(u64, "address"), st_size: u64 },
  { size: 24, page: "elf(5)" },
);
export type Elf64_Sym = TypeOf<typeof Elf64_Sym>;

/** Head of a note in a PT_NOTE segment or core file; name and contents follow, each padded to 4 bytes. */
export const Elf64_Nhdr = struct(
  "Elf64_Nhdr",
  { n_namesz: u32, n_descsz: u32, n_type: u32 },
  { size: 12, page: "elf(5)" },
);
