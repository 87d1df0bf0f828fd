/** Which ELF files are programs, and what is wrong with the others. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EIO, EINVAL, ELIBBAD, ENOEXEC, Errno, errnoByNumber } from "../../abi/errno.ts";
import { ET_DYN, PF_R, PF_W, PT_INTERP } from "../../abi/elf.ts";
import { elfFile, imageFile, mutate, type ElfFields } from "../../tests/support/elf.ts";
import { freeFrames, newMemory, TestFile } from "../../tests/support/memory.ts";
import { Random } from "../../tests/support/random.ts";
import { AddressSpace } from "../mm/address-space.ts";
import { PIE_BASE, TASK_SIZE } from "../mm/layout.ts";
import { readElfImage, readInterpreterImage } from "./elf-image.ts";
import { loadImage } from "./load-image.ts";

const read = (fields: ElfFields) => readElfImage(imageFile(elfFile(fields)));
const TOP = BigInt(TASK_SIZE);

const broken: readonly (readonly [string, ElfFields, Errno])[] = [
  ["an empty file", { length: 0 }, ENOEXEC],
  ["half a header", { length: 40 }, ENOEXEC],
  ["another magic number", { magic: 0x464c457e }, ENOEXEC],
  ["32 bits", { elfClass: 1 }, ENOEXEC],
  ["big-endian", { data: 2 }, ENOEXEC],
  ["another machine", { machine: 183 }, ENOEXEC],
  ["an object file", { type: 1 }, ENOEXEC],
  ["a core file", { type: 4 }, ENOEXEC],
  ["program headers of another size", { headerSize: 32 }, ENOEXEC],
  ["no program headers", { headerCount: 0 }, ENOEXEC],
  ["too many program headers", { headerCount: 1171 }, ENOEXEC],
  ["program headers behind the end", { headerOffset: 0x2000 }, EIO],
  ["program headers that are cut off", { length: 100 }, EIO],
  ["program headers at no offset a file can have", { headerOffset: 2n ** 64n - 1n }, ENOEXEC],
  ["nothing to load", { headers: [{ type: 0 }] }, ENOEXEC],
  ["nothing but empty segments", { headers: [{ fileSize: 0 }] }, ENOEXEC],
  ["more in the file than in memory", { headers: [{ fileSize: 0x200, memorySize: 0x100 }] }, EINVAL],
  ["a segment larger than user space", { headers: [{ memorySize: TOP + 1n }] }, EINVAL],
  ["a segment that ends beyond user space", { headers: [{ address: TOP - 0x1000n, memorySize: 0x1001 }] }, EINVAL],
  ["a segment in the kernel", { headers: [{ address: 0xffffffff81001000n }] }, EINVAL],
  ["a segment not at its place in the page", { headers: [{ address: 0x401004 }] }, EINVAL],
  ["a segment at no offset a file can have", { headers: [{ offset: 2n ** 64n - 0x1000n }] }, EINVAL],
  ["an entry point in the kernel", { entry: 2n ** 64n - 1n }, EINVAL],
  ["an interpreter without a name", { headers: [{}, { type: PT_INTERP, fileSize: 1 }] }, ENOEXEC],
  ["an interpreter's name too long", { headers: [{}, { type: PT_INTERP, fileSize: 4097 }] }, ENOEXEC],
  ["an interpreter's name without its NUL", { headers: [{}, { type: PT_INTERP, offset: 0, fileSize: 4 }] }, ENOEXEC],
  ["an interpreter's name that is cut off", { headers: [{}, { type: PT_INTERP, offset: 0x1ff0 }] }, EIO],
  ["an interpreter's name at no offset", { headers: [{}, { type: PT_INTERP, offset: 2n ** 64n - 1n }] }, ENOEXEC],
];

describe("an ELF file with", () => {
  it.each(broken)("%s", (_, fields, errno) => expect(() => read(fields)).toThrow(errno));

  it("everything in order is a program", () => {
    const image = read({
      headers: [{}, { address: 0x403010, offset: 0x10, fileSize: 8, memorySize: 0x3000, flags: PF_R | PF_W }],
    });
    expect(image).toMatchObject({
      relocatable: false,
      entry: 0x401000,
      start: 0x401000,
      end: 0x407000,
      headerCount: 2,
    });
    expect(image.interpreter).toBeNull();
    expect(image.executableStack).toBe(true);
  });

  it("an error of its own is a bad library when it is the interpreter", () => {
    expect(() => readInterpreterImage(imageFile(elfFile({ machine: 3 })))).toThrow(ELIBBAD);
    expect(() => readInterpreterImage(imageFile(elfFile({ entry: 2n ** 63n })))).toThrow(EINVAL);
  });
});

/** Reads and loads into a new address space, which is then given back; the errno, or null. */
function tryFile(bytes: Uint8Array, memory: ReturnType<typeof newMemory>, base: number): Errno | null {
  const space = new AddressSpace(memory.frames, memory.engine);
  const file = new TestFile(memory.frames, bytes);
  try {
    loadImage(space, readElfImage(imageFile(bytes)), file, base);
    return null;
  } catch (error) {
    if (error instanceof Errno && errnoByNumber.get(error.number) === error) return error;
    throw error;
  } finally {
    space.dispose();
    expect(file.references).toBe(0);
    file.store.dispose();
  }
}

describe("loading", () => {
  const memory = newMemory(16);

  it("at its own place below the lowest address is EINVAL", () => {
    expect(tryFile(elfFile({ headers: [{ address: 0x1000 }] }), memory, 0)).toBe(EINVAL);
  });

  it("segments over each other is EEXIST", () => {
    const overlapping = elfFile({ headers: [{}, { address: 0x401000 }] });
    expect(tryFile(overlapping, memory, 0)?.name).toBe("EEXIST");
  });

  it("a relocatable program larger than half of user space is ENOMEM", () => {
    const large = elfFile({
      type: ET_DYN,
      headers: [{ address: 0 }, { address: TOP - 0x1000n, fileSize: 0x100 }].map((header) => ({
        ...header,
        offset: 0,
      })),
    });
    expect(tryFile(large, memory, PIE_BASE)?.name).toBe("ENOMEM");
  });

  it("a good one leaves the rest of its last page zero", () => {
    const bytes = elfFile({ headers: [{ flags: PF_R | PF_W, memorySize: 0x2000 }] });
    bytes.fill(0xaa, 0x1000);
    const space = new AddressSpace(memory.frames, memory.engine);
    const file = new TestFile(memory.frames, bytes);
    const image = loadImage(space, readElfImage(imageFile(bytes)), file, 0);
    const words = space.frames.memory.u32;
    const page = space.frames.bytes(words[space.table.find(0x401000)]! >>> 12);
    expect([page[0xff], page[0x100], page[0xfff]]).toEqual([0xaa, 0, 0]);
    expect(image).toEqual({ bias: 0, entry: 0x401000, headers: 0, end: 0x403000 });
    space.dispose();
    file.store.dispose();
  });
});

const hello = join(import.meta.dirname, "../../build/guests/hello");

describe("a fuzzed program", () => {
  const samples: readonly (readonly [string, Uint8Array])[] = [
    [
      "of two segments",
      elfFile({
        headers: [
          { flags: PF_R | PF_W, memorySize: 0x5000 },
          { address: 0x410000, offset: 0 },
        ],
      }),
    ],
    [
      "that is relocatable",
      elfFile({
        type: ET_DYN,
        entry: 0x1000,
        headers: [
          { address: 0, offset: 0 },
          { address: 0x1000 },
          { address: 0x3000, flags: PF_R | PF_W, memorySize: 0x4000 },
        ],
      }),
    ],
    ...(existsSync(hello) ? [["like build/guests/hello", new Uint8Array(readFileSync(hello))] as const] : []),
  ];
  it.each(samples)("%s gives a known errno or a mapping, and every frame back, 3000 times", (_, original) => {
    const memory = newMemory(16);
    const random = new Random(20260101);
    memory.space.dispose();
    const before = freeFrames(memory);
    const seen = new Map<string, number>();
    for (let round = 0; round < 3000; round++) {
      const outcome = tryFile(mutate(original, random), memory, PIE_BASE)?.name ?? "loaded";
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      expect(freeFrames(memory)).toBe(before);
    }
    // The mutations reach all of the checks.
    for (const outcome of ["loaded", "ENOEXEC", "EINVAL", "EIO"]) expect(seen.get(outcome)).toBeGreaterThan(10);
  });
});
