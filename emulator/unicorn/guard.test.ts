/** Guest code that crashes an unguarded translator, and with it this process (native/guard.c). */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { describeEngines } from "../contract/engines.ts";
import { CODE, DATA, fault, pageFault, syscall, TestMachine } from "../contract/test-machine.ts";
import { VECTOR_UD } from "../engine.ts";
import { PAGE_SIZE } from "../physical-memory.ts";
import { RAX, RDI, RIP } from "../registers.ts";
import { findAddon, libraryCandidates } from "./find-library.ts";

/** Instructions in a block, at most: BLOCK_LIMIT in native/guard.h. */
const BLOCK_LIMIT = 64;

/** Instructions of which the translator forgets a temporary or more, each. */
const LEAKS: readonly (readonly [string, string])[] = [
  ["x87 arithmetic", "fadd st, st(1)"],
  ["x87 loads", "fld1; fstp st(0)"],
  ["x87 exchanges", "fxch st(3)"],
  ["CRC32", "crc32 eax, ecx"],
  ["SSE with an immediate", "pshufd xmm0, xmm1, 0x1b"],
  ["SSE comparisons of strings", "pcmpistri xmm0, xmm1, 0x0c"],
  ["INSERTPS that clears all", "insertps xmm0, dword ptr [rdi], 0x0f"],
  ["INSERTPS of a register that clears all", "insertps xmm0, xmm1, 0x0f"],
  ["EXTRQ", ".byte 0x66, 0x0f, 0x78, 0xc1, 4, 4"],
  ["INSERTQ", ".byte 0xf2, 0x0f, 0x78, 0xc1, 4, 4"],
  ["rotations through carry", "rcr al, 3"],
  ["divisions", "idiv byte ptr [rdi]"],
  ["a mixture", "fadd st, st(1); crc32 rax, rdx; shufps xmm0, xmm2, 7; insertps xmm3, xmm1, 0x2f; fxch st(2)"],
];

describeEngines(
  "guard",
  (create) => {
    const start = () => {
      const machine = new TestMachine(create);
      const data = machine.map(DATA, "rw") * PAGE_SIZE;
      machine.memory.u8.fill(1, data, data + PAGE_SIZE);
      machine.cpu.set(RDI, DATA);
      return machine;
    };

    test("is in place", () => {
      expect(start().engine.capabilities.boundedBlocks).toBe(true);
    });

    test("blocks are short, and each of them counts", () => {
      const machine = start();
      machine.load(`${"cld\n".repeat(10 * BLOCK_LIMIT)} syscall`);
      expect(machine.run()).toEqual(syscall(CODE + 10 * BLOCK_LIMIT + 2));
      expect(machine.engine.stop.executed).toBe(11);
      machine.cpu.set(RIP, CODE);
      expect(machine.run(4)).toEqual({ stop: "budget", rip: CODE + 4 * BLOCK_LIMIT });
    });

    test.each(LEAKS)("a long run of instructions is no danger: %s", (_, source) => {
      const machine = start();
      const instructions = source.split(";").length;
      machine.load(`.rept 2000\n${source}\n.endr\n syscall`);
      expect(machine.run().stop).toBe("syscall");
      expect(machine.engine.stop.executed).toBeGreaterThanOrEqual((2000 * instructions) / BLOCK_LIMIT);
    });

    test("a long run of instructions that ends in an absent page stops there", () => {
      const machine = start();
      machine.load(`.rept ${PAGE_SIZE / 2}\nfxch st(1)\n.endr`);
      const outcome = machine.run();
      expect(outcome).toMatchObject(pageFault(outcome.rip, 0x14, CODE + PAGE_SIZE));
    });

    test.each(["bt", "bts", "btr", "btc"])("LOCK %s of a register is an invalid instruction", (name) => {
      const operation = { bt: 0xa3, bts: 0xab, btr: 0xb3, btc: 0xbb }[name]!;
      const immediate = { bt: 0xe0, bts: 0xe8, btr: 0xf0, btc: 0xf8 }[name]!;
      for (const prefixes of ["0xf0", "0x66, 0xf0", "0xf0, 0x48", "0xf0, 0x66, 0x41", "0x2e, 0xf0, 0xf3, 0x4f"]) {
        for (const rest of [`0x0f, ${operation}, 0xc1`, `0x0f, 0xba, ${immediate}, 3`]) {
          const machine = start();
          machine.load(`inc eax; mov ecx, [rdi]; inc eax; here: .byte ${prefixes}, ${rest}; syscall`);
          expect(machine.run()).toEqual(fault(CODE + 6, VECTOR_UD));
          expect(machine.cpu.get(RAX)).toBe(2);
        }
      }
    });

    test("LOCK with a bit test of memory works, and so do bytes that look like one of a register", () => {
      const machine = start();
      machine.load(
        `lock btc dword ptr [rdi], 4
       mov al, 0xf0; bt eax, eax
       add ecx, 0x70; bts ecx, 5
       mov eax, [rdi]
       syscall`,
      );
      expect(machine.run().stop).toBe("syscall");
      expect(machine.cpu.get(RAX)).toBe(0x01010111);
    });

    test("LOCK and the rest of a bit test may lie on two pages", () => {
      const machine = start();
      machine.load(`.byte 0xf0, 0x0f, 0xa3, 0xc1`, CODE + PAGE_SIZE - 2);
      expect(machine.run()).toEqual(fault(CODE + PAGE_SIZE - 2, VECTOR_UD));
      machine.unmap(CODE + PAGE_SIZE);
      machine.engine.invalidateFrame(machine.memory.u32[machine.entryIndex(CODE)]! >>> 12);
      expect(machine.run()).toEqual(pageFault(CODE + PAGE_SIZE - 2, 0x14, CODE + PAGE_SIZE));
    });
  },
  "unicorn",
);

test.each([true, false])("a library loaded before the addon (%s) is told from one loaded by it", (before) => {
  const library = libraryCandidates()[0]!;
  const script = `
    const { create } = require(${JSON.stringify(findAddon())});
    const frames = Uint32Array.of(1, 2, 3, 4, 5, 6, 7);
    const ram = new ArrayBuffer(1 << 20);
    console.log(create(${JSON.stringify(library)}, ram, new ArrayBuffer(4096), frames, true).boundedBlocks);`;
  const env = before ? { ...process.env, LD_PRELOAD: library } : process.env;
  expect(execFileSync(process.execPath, ["-e", script], { env, encoding: "utf8" }).trim()).toBe(String(!before));
});
