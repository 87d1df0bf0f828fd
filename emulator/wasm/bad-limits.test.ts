/** The engine's own limits: caches that fill up, a host that refuses code, little RAM, use after the end. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { assemble } from "../contract/assemble.ts";
import { CODE, DATA, syscall, TestMachine } from "../contract/test-machine.ts";
import { PAGE_SIZE, PhysicalMemory } from "../physical-memory.ts";
import { RAX, RCX, RDI, RIP } from "../registers.ts";
import { TierMachine } from "./testing/bad-input-tiers.ts";
import { createWasmEngine } from "./wasm-engine.ts";

const MIB = 1 << 20;
const MACHINES: readonly (readonly [string, number])[] = [
  ["interpreted", Infinity],
  ["compiled when warm", 3],
];

/** Bytes of this process that a test may leave behind. */
function hostBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("many pages of code", () => {
  /** A function of some blocks for each page: `mov eax, number; loop; jmp next page`. */
  const template = assemble("mov eax, 0x12345678; mov ecx, 4; again: add rbx, rax; dec ecx; jnz again; syscall");

  /** Executes `pages` pages of code at addresses and with contents of their own, in frames that are used again. */
  function runPages(machine: TierMachine, pages: number): void {
    const { memory, engine, cpu } = machine;
    const frames = Array.from({ length: 256 }, () => memory.allocateZeroed());
    for (let page = 0; page < pages; page++) {
      const pfn = frames[page % frames.length]!;
      const address = CODE + page * PAGE_SIZE;
      memory.u8.set(template, pfn * PAGE_SIZE);
      memory.view.setUint32(pfn * PAGE_SIZE + 1, page, true);
      engine.invalidateFrame(pfn);
      machine.map(address, "rx", pfn);
      engine.flushPage(address);
      cpu.set(RIP, address);
      const outcome = machine.run();
      if (outcome.stop !== "syscall" || cpu.get(RAX) !== page)
        throw new Error(`page ${page}: ${JSON.stringify(outcome)}`);
    }
  }

  test("100,000 in the interpreter: the caches stay within the RAM they have", { timeout: 240_000 }, () => {
    const machine = new TierMachine(Infinity, 16 * MIB);
    runPages(machine, 10_000);
    const before = hostBytes();
    runPages(machine, 90_000);
    expect(hostBytes() - before).toBeLessThan(64 * MIB);
    expect(machine.statistics.blocks).toBeGreaterThan(100_000);
  });

  test("25,000 compiled: all regions are forgotten once, and made again", { timeout: 240_000 }, () => {
    const machine = new TierMachine(2, 64 * MIB);
    runPages(machine, 25_000);
    expect(machine.statistics.regions).toBeGreaterThan(20_000);
    expect(machine.statistics.refused).toBe(0);
    runPages(machine, 10);
  });

  test("frames that held code are written without delay when that has been forgotten", () => {
    const machine = new TierMachine(Infinity, 16 * MIB);
    const old = machine.load("mov eax, 1; syscall", CODE - PAGE_SIZE);
    machine.run();
    runPages(machine, 8000);
    machine.map(DATA, "rw", old);
    machine.load("mov ecx, 1000; again: mov [rdi], ecx; dec ecx; jnz again; syscall", CODE - 2 * PAGE_SIZE);
    machine.engine.flushTlb();
    machine.cpu.set(RDI, DATA);
    const step = vi.spyOn(machine.engine.translator, "step");
    expect(machine.run().stop).toBe("syscall");
    expect(step.mock.calls.length).toBeLessThan(5);
  });

  test.each(MACHINES)("that share a place in the jump cache leave nothing behind (%s)", (_, hotRuns) => {
    const machine = new TierMachine(hotRuns, 16 * MIB);
    // The low bits of the address and those nine above them are the place: 0x200000 apart is the same one.
    const far = CODE + 0x4000000;
    machine.load("dec rcx; jz out; jmp rdi; out: syscall");
    machine.load("jmp rsi", far);
    machine.cpu.set(RCX, 150_000);
    machine.cpu.set(RDI, far);
    machine.cpu.set(6, CODE);
    expect(machine.run(1e6).stop).toBe("syscall");
    const { usedEntries } = machine.engine.translator as unknown as { readonly usedEntries: readonly number[] };
    expect(usedEntries.length).toBeLessThanOrEqual(100_000);
  });
});

describe("a host that refuses code", () => {
  afterEach(() => vi.restoreAllMocks());

  const PROGRAM = `
    mov ecx, 300
    again: call mix; lea rdx, [rip + mix]; test cl, 7; jnz skip; call rdx
    skip: mov [rdi + rcx * 8], rax; dec ecx; jnz again
    syscall
    mix: imul rax, rax, 77; add rax, rcx; ror rax, 9; ret`;

  const start = (hotRuns: number): TierMachine => {
    const machine = new TierMachine(hotRuns);
    machine.load(PROGRAM);
    machine.addStack();
    machine.map(DATA, "rw");
    machine.cpu.set(RDI, DATA);
    machine.cpu.set(RAX, 1);
    return machine;
  };

  const result = (machine: TierMachine): bigint => {
    expect(machine.run(1e6)).toMatchObject({ stop: "syscall" });
    return machine.cpu.u64[RAX]!;
  };

  /** From now on `refuses` decides for every module by its number. */
  const refuseModules = (refuses: (number: number) => boolean, error: () => Error): void => {
    const { Module } = WebAssembly;
    let count = 0;
    vi.spyOn(WebAssembly, "Module").mockImplementation(function (bytes: BufferSource) {
      if (refuses(count++)) throw error();
      return new Module(bytes);
    });
  };

  const ERRORS: readonly (readonly [string, () => Error])[] = [
    [
      "RangeError",
      () => new RangeError("WebAssembly.Module(): Out of memory: Cannot allocate Wasm memory for new code"),
    ],
    ["CompileError", () => new WebAssembly.CompileError("refused by a test")],
  ];

  const expected = (): bigint => result(start(Infinity));

  test.each(ERRORS)("goes on in the interpreter after a %s for every region", (_, error) => {
    const right = expected();
    for (const hotRuns of [400, 600]) {
      const machine = start(hotRuns);
      // Once in the interpreter, so that it has all its handlers.
      expect(result(machine)).toBe(right);
      refuseModules(() => true, error);
      for (let run = 0; run < 3; run++) {
        machine.cpu.set(RIP, CODE);
        machine.cpu.set(RAX, 1);
        expect(result(machine)).toBe(right);
      }
      expect(machine.statistics.refused).toBeGreaterThan(0);
      vi.restoreAllMocks();
    }
  });

  test("goes on with what is compiled, in the interpreter with the rest", () => {
    const right = expected();
    for (const first of [1, 2, 5]) {
      const machine = start(5);
      machine.run(30);
      refuseModules((number) => number >= first, ERRORS[0]![1]);
      expect(result(machine)).toBe(right);
      vi.restoreAllMocks();
    }
  });

  test.each(ERRORS)("goes on after a %s for whatever module, if the next attempt works", (_, error) => {
    const right = expected();
    for (const hotRuns of [Infinity, 1, 5]) {
      const machine = start(hotRuns);
      refuseModules((number) => number % 2 === 0, error);
      expect(result(machine)).toBe(right);
      vi.restoreAllMocks();
    }
  });
});

describe("little RAM", () => {
  const PROGRAM = "mov ecx, 2000; again: add rax, rcx; mov [rdi], rax; dec ecx; jnz again; syscall";

  /** The least RAM, in steps of WebAssembly's pages, that an engine can be made in. */
  function leastRam(): number {
    for (let size = 65536; ; size += 65536) {
      try {
        createWasmEngine(new PhysicalMemory(size)).dispose();
        return size;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
  }

  test.each(MACHINES)("the least that an engine can be made in is enough for it (%s)", (_, hotRuns) => {
    const size = leastRam() + 65536;
    const machine = new TierMachine(hotRuns, size);
    const free = machine.memory.freeFrames;
    for (let run = 0; run < 20; run++) {
      machine.load(PROGRAM);
      machine.map(DATA, "rw");
      machine.engine.flushTlb();
      machine.cpu.set(RDI, DATA);
      machine.cpu.set(RAX, 0);
      expect(machine.run()).toEqual(syscall(machine.cpu.get(RIP)));
      expect(machine.cpu.get(RAX)).toBe(2001000);
      for (const address of [CODE, DATA]) {
        const pfn = machine.frameOf(address);
        machine.memory.release(pfn);
        machine.unmap(address);
        machine.engine.invalidateFrame(pfn);
      }
    }
    expect(free - machine.memory.freeFrames).toBeLessThan(10);
  });

  test.each(MACHINES)("a program with more blocks than the engine has room for, again and again (%s)", (_, hotRuns) => {
    const machine = new TierMachine(hotRuns, 4 * MIB);
    machine.load(`mov ecx, 6; again: ${"inc rax; jmp .+2\n".repeat(4000)} dec ecx; jz out; jmp again; out: syscall`);
    for (let run = 0; run < 3; run++) {
      machine.cpu.set(RAX, 0);
      machine.cpu.set(RIP, CODE);
      expect(machine.run(1e6).stop).toBe("syscall");
      expect(machine.cpu.get(RAX)).toBe(24_000);
    }
  });
});

describe("an engine that has been disposed of", () => {
  const start = (): TestMachine => {
    const machine = new TestMachine((memory) => createWasmEngine(memory, { hotRuns: 2 }));
    machine.load("mov ecx, 50; again: dec ecx; jnz again; syscall");
    return machine;
  };

  test("in the middle of a program refuses to go on", () => {
    const machine = start();
    expect(machine.run(20).stop).toBe("budget");
    machine.engine.dispose();
    expect(() => machine.run(20)).toThrow(/disposed/);
  });

  test("does not touch frames that are not its own any more", () => {
    const machine = start();
    machine.run();
    const { memory, engine, root } = machine;
    const code = machine.memory.u32[machine.entryIndex(CODE)]! >>> 12;
    engine.dispose();
    memory.u8.fill(0xa5, PAGE_SIZE);
    engine.activate(root);
    engine.flushTlb();
    engine.flushPage(CODE);
    engine.invalidateFrame(code);
    expect(memory.u8.subarray(PAGE_SIZE).every((byte) => byte === 0xa5)).toBe(true);
  });

  test("leaves room for another one in the same RAM", () => {
    const machine = start();
    machine.run();
    for (let i = 0; i < 5; i++) {
      machine.engine.dispose();
      const other = createWasmEngine(machine.memory, { hotRuns: 2 });
      other.activate(machine.root);
      other.cpu.set(RIP, CODE);
      expect(other.run(1000)).toBe(0);
      other.dispose();
    }
  });
});
