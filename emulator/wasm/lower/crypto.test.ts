/** AES, SHA and carry-less multiplication with the published examples. */
import { expect, onTestFinished, test } from "vitest";
import { DATA, TestMachine } from "../../contract/test-machine.ts";
import { PAGE_SIZE } from "../../physical-memory.ts";
import { RDI } from "../../registers.ts";
import { createWasmEngine } from "../wasm-engine.ts";

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex"));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Runs code with RDI at a page that begins with the given bytes, and returns that page. */
function run(source: string, memory: Uint8Array): Uint8Array {
  const m = new TestMachine((ram) => createWasmEngine(ram, { cpu: "x86-64-v3" }));
  onTestFinished(() => m.engine.dispose());
  m.load(`${source}; syscall`);
  const pfn = m.map(DATA, "rw");
  m.memory.u8.set(memory, pfn * PAGE_SIZE);
  m.cpu.set(RDI, DATA);
  expect(m.run().stop).toBe("syscall");
  return m.memory.u8.slice(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE);
}

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** The AES-128 key schedule in xmm1 to xmm11, from the key in xmm1 (Intel's AES-NI white paper describes the steps). */
const EXPAND = times(10, (i) => {
  const constant = [1, 2, 4, 8, 16, 32, 64, 128, 27, 54][i]!;
  const [old, next] = [i + 1, i + 2];
  return `aeskeygenassist xmm13, xmm${old}, ${constant}; pshufd xmm13, xmm13, 255; movdqa xmm${next}, xmm${old}
    movdqa xmm14, xmm${old}; pslldq xmm14, 4; pxor xmm${next}, xmm14
    pslldq xmm14, 4; pxor xmm${next}, xmm14; pslldq xmm14, 4; pxor xmm${next}, xmm14; pxor xmm${next}, xmm13`;
}).join("; ");

/** FIPS 197, appendix C.1. */
const KEY = "000102030405060708090a0b0c0d0e0f";
const PLAIN = "00112233445566778899aabbccddeeff";
const CIPHER = "69c4e0d86a7b0430d8cdb78070b4c55a";

test("AES-128 encrypts and decrypts the example of FIPS 197", () => {
  const page = run(
    `movdqu xmm1, [rdi]; movdqu xmm0, [rdi + 16]; ${EXPAND}
     pxor xmm0, xmm1; ${times(9, (i) => `aesenc xmm0, xmm${i + 2}`).join("; ")}; aesenclast xmm0, xmm11
     movdqu [rdi + 32], xmm0
     pxor xmm0, xmm11; ${times(9, (i) => `aesimc xmm12, xmm${10 - i}; aesdec xmm0, xmm12`).join("; ")}
     aesdeclast xmm0, xmm1; movdqu [rdi + 48], xmm0; movdqu [rdi + 64], xmm11`,
    bytesOf(KEY + PLAIN),
  );
  expect(hexOf(page.subarray(64, 80))).toBe("13111d7fe3944a17f307a78b4d2b30c5");
  expect(hexOf(page.subarray(32, 48))).toBe(CIPHER);
  expect(hexOf(page.subarray(48, 64))).toBe(PLAIN);
});

/** The examples of Intel's white paper on carry-less multiplication, least significant byte last. */
test.each([
  [0x00, "1d4d84c85c3440c0929633d5d36f0451"],
  [0x10, "1bd17c8d556ab5a17fa540ac2a281315"],
  [0x01, "1a2bf6db3a30862fbabf262df4b7d5c9"],
  [0x11, "1d1e1f2c592e7c45d66ee03e410fd4ed"],
])("PCLMULQDQ with control %i", (control, product) => {
  const reversed = (hex: string): string => hexOf(bytesOf(hex).reverse());
  const operands = reversed("7b5b54657374566563746f725d53475d") + reversed("48692853686179295b477565726f6e5d");
  const page = run(
    `movdqu xmm0, [rdi]; pclmulqdq xmm0, [rdi + 16], ${control}; movdqu [rdi + 32], xmm0`,
    bytesOf(operands),
  );
  expect(reversed(hexOf(page.subarray(32, 48)))).toBe(product);
});

/** One block: the message "abc", padded (FIPS 180-4, section 5.1.1), as 16 words in the machine's order. */
function abcBlock(): Uint8Array {
  const block = new Uint8Array(64);
  block.set([0x61, 0x62, 0x63, 0x80]);
  block[63] = 24;
  const words = new DataView(block.buffer);
  for (let i = 0; i < 64; i += 4) words.setUint32(i, words.getUint32(i, false), true);
  return block;
}

const wordsOf = (numbers: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer);

/** FIPS 180-4, section 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const K256 = times(311, (n) => n)
  .slice(2)
  .concat(311)
  .filter((n) => times(n, (d) => d).every((d) => d < 2 || n % d !== 0))
  .slice(0, 64)
  .map((prime) => {
    let root = 0n;
    for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) {
      if ((root | bit) ** 3n <= BigInt(prime) << 96n) root |= bit;
    }
    return Number(root & 0xffffffffn);
  });

test("SHA-256 of abc", () => {
  const [a, b, c, d, e, f, g, h] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  ] as const;
  // Four rounds: xmm1 = ABEF, xmm2 = CDGH; message words in xmm3 to xmm6, the oldest first.
  const rounds = times(16, (i) => {
    const message = (by: number): string => `xmm${3 + ((i + by) % 4)}`;
    const schedule =
      i < 12
        ? `; movdqa xmm7, ${message(3)}; palignr xmm7, ${message(2)}, 4; sha256msg1 ${message(0)}, ${message(1)}
           paddd ${message(0)}, xmm7; sha256msg2 ${message(0)}, ${message(3)}`
        : "";
    return `movdqa xmm0, ${message(0)}; paddd xmm0, [rdi + ${128 + i * 16}]; sha256rnds2 xmm2, xmm1
      pshufd xmm0, xmm0, 0x0e; sha256rnds2 xmm1, xmm2 ${schedule}`;
  }).join("; ");
  const memory = new Uint8Array(128 + 256);
  memory.set(wordsOf([f, e, b, a, h, g, d, c]));
  memory.set(abcBlock(), 64);
  memory.set(wordsOf(K256), 128);
  const page = run(
    `movdqu xmm1, [rdi]; movdqu xmm2, [rdi + 16]; ${times(4, (i) => `movdqu xmm${3 + i}, [rdi + ${64 + i * 16}]`).join("; ")}
     ${rounds}; paddd xmm1, [rdi]; paddd xmm2, [rdi + 16]; movdqu [rdi], xmm1; movdqu [rdi + 16], xmm2`,
    memory,
  );
  const [F, E, B, A, H, G, D, C] = new Uint32Array(page.buffer, 0, 8) as unknown as number[];
  const digest = [A, B, C, D, E, F, G, H].map((word) => word!.toString(16).padStart(8, "0")).join("");
  expect(digest).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("SHA-1 of abc", () => {
  const [a, b, c, d, e] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0] as const;
  // xmm0 = ABCD with A highest; E comes into the sum of each four rounds; messages with the oldest word highest.
  const steps = times(20, (i) => {
    const message = (by: number): string => `xmm${3 + ((i + by) % 4)}`;
    const [now, other] = i % 2 === 0 ? ["xmm1", "xmm2"] : ["xmm2", "xmm1"];
    const sum = i === 0 ? `paddd ${now}, ${message(0)}` : `sha1nexte ${now}, ${message(0)}`;
    const schedule =
      i < 16
        ? `; sha1msg1 ${message(0)}, ${message(1)}; pxor ${message(0)}, ${message(2)}; sha1msg2 ${message(0)}, ${message(3)}`
        : "";
    return `${sum}; movdqa ${other}, xmm0; sha1rnds4 xmm0, ${now}, ${Math.floor(i / 5)} ${schedule}`;
  }).join("; ");
  const highestFirst = (words: Uint8Array): Uint8Array => {
    const numbers = new Uint32Array(words.slice().buffer);
    for (let i = 0; i < numbers.length; i += 4) numbers.subarray(i, i + 4).reverse();
    return new Uint8Array(numbers.buffer);
  };
  const memory = new Uint8Array(128);
  memory.set(wordsOf([d, c, b, a, 0, 0, 0, e]));
  memory.set(highestFirst(abcBlock()), 64);
  const page = run(
    `movdqu xmm0, [rdi]; movdqu xmm1, [rdi + 16]; ${times(4, (i) => `movdqu xmm${3 + i}, [rdi + ${64 + i * 16}]`).join("; ")}
     ${steps}; sha1nexte xmm1, [rdi + 16]; paddd xmm0, [rdi]; movdqu [rdi], xmm0; movdqu [rdi + 16], xmm1`,
    memory,
  );
  const words = [...new Uint32Array(page.buffer, 0, 8)];
  const digest = [words[3], words[2], words[1], words[0], words[7]]
    .map((w) => w!.toString(16).padStart(8, "0"))
    .join("");
  expect(digest).toBe("a9993e364706816aba3e25717850c26c9cd0d89d");
});
