/** ELF files for tests: built from a few words, and broken in many ways. */
import {
  ELFCLASS64,
  ELFDATA2LSB,
  ELF_MAGIC,
  EM_X86_64,
  ET_EXEC,
  Elf64_Ehdr,
  Elf64_Phdr,
  PF_R,
  PF_X,
  PT_LOAD,
} from "../../abi/elf.ts";
import type { ImageFile } from "../../kernel/exec/elf-image.ts";
import type { Random } from "./random.ts";

export interface Header {
  type?: number;
  flags?: number;
  offset?: number | bigint;
  address?: number | bigint;
  fileSize?: number | bigint;
  memorySize?: number | bigint;
}

export interface ElfFields {
  magic?: number;
  elfClass?: number;
  data?: number;
  type?: number;
  machine?: number;
  entry?: number | bigint;
  headerOffset?: number | bigint;
  headerSize?: number;
  headerCount?: number;
  /** Length of the whole file. */
  length?: number;
  headers?: readonly Header[];
}

/** A file with these headers; what is not said is as it should be. */
export function elfFile(fields: ElfFields = {}): Uint8Array {
  const headers = fields.headers ?? [{}];
  const bytes = new Uint8Array(fields.length ?? 0x2000);
  const whole = new Uint8Array(Math.max(bytes.length, 64 + headers.length * 56));
  const view = new DataView(whole.buffer);
  Elf64_Ehdr.encode(view, 0, {
    e_type: fields.type ?? ET_EXEC,
    e_machine: fields.machine ?? EM_X86_64,
    e_version: 1,
    e_entry: BigInt(fields.entry ?? 0x401000),
    e_phoff: BigInt(fields.headerOffset ?? 64),
    e_phentsize: fields.headerSize ?? 56,
    e_phnum: fields.headerCount ?? headers.length,
    e_ehsize: 64,
  });
  view.setUint32(0, fields.magic ?? ELF_MAGIC, true);
  whole[4] = fields.elfClass ?? ELFCLASS64;
  whole[5] = fields.data ?? ELFDATA2LSB;
  headers.forEach((header, index) => {
    Elf64_Phdr.encode(view, 64 + index * 56, {
      p_type: header.type ?? PT_LOAD,
      p_flags: header.flags ?? PF_R | PF_X,
      p_offset: BigInt(header.offset ?? 0x1000),
      p_vaddr: BigInt(header.address ?? 0x401000),
      p_filesz: BigInt(header.fileSize ?? 0x100),
      p_memsz: BigInt(header.memorySize ?? header.fileSize ?? 0x100),
      p_align: 0x1000n,
    });
  });
  bytes.set(whole.subarray(0, bytes.length));
  return bytes;
}

export const imageFile = (bytes: Uint8Array): ImageFile => ({
  readAt(into, position) {
    if (position >= bytes.length) return 0;
    const part = bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  },
});

const WORDS: readonly bigint[] = [
  0n,
  1n,
  0xfffn,
  0x1000n,
  0x7fffffffn,
  0xffffffffn,
  0x400000n,
  0x7ffffffff000n,
  0x7fffffffffffn,
  0x800000000000n,
  0x1fffffffffffffn,
  0x20000000000001n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffff81000000n,
  0xfffffffffffffff0n,
  0xffffffffffffffffn,
];

/** One of many ways to break an ELF file: cut, oversized or odd fields, segments over each other, flipped bytes. */
export function mutate(original: Uint8Array, random: Random): Uint8Array {
  const bytes = original.slice();
  const view = new DataView(bytes.buffer);
  const count = view.getUint16(56, true);
  const table = Number(view.getBigUint64(32, true));
  const header = (): number => table + random.below(count) * 56;
  const word = (): bigint => {
    const value = random.pick(WORDS);
    return random.chance(3) ? BigInt.asUintN(64, value + BigInt(random.between(-4097, 4097))) : value;
  };
  for (let rounds = random.between(1, 3); rounds > 0; rounds--) {
    switch (random.below(8)) {
      case 0:
        return bytes.slice(0, random.below(random.chance(2) ? 300 : bytes.length));
      case 1:
        // A field of a program header: offset, vaddr, paddr, filesz, memsz or align.
        view.setBigUint64(header() + 8 + random.below(6) * 8, word(), true);
        break;
      case 2:
        view.setBigUint64(random.pick([24, 32]), word(), true);
        break;
      case 3:
        view.setUint16(random.pick([16, 18, 52, 54, 56]), random.below(0x10000), true);
        break;
      case 4: {
        // Over another segment, or not at the place in the page where its bytes are.
        const [one, other] = [header(), header()];
        const delta = BigInt(random.pick([0, 1, 8, 0x800, 0xfff, 0x1000]));
        view.setBigUint64(one + 16, view.getBigUint64(other + 16, true) + delta, true);
        break;
      }
      case 5:
        view.setUint32(header(), random.pick([0, 1, 2, 3, 4, 6, 7, 0x6474e551, random.below(0x7fffffff)]), true);
        view.setUint32(header() + 4, random.below(8), true);
        break;
      case 6:
        for (let flips = random.between(1, 8); flips > 0; flips--)
          bytes[random.below(64 + count * 56)]! ^= 1 << random.below(8);
        break;
      case 7:
        for (let flips = random.between(1, 30); flips > 0; flips--)
          bytes[random.below(bytes.length)] = random.below(256);
        break;
    }
    if (table + count * 56 > bytes.length) break;
  }
  return bytes;
}
