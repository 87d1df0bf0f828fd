/** What is particular to this engine; everything else is in emulator/contract and emulator/lockstep.test.ts. */
import { describe, expect, test } from "vitest";
import { CODE, fault, TestMachine } from "../contract/test-machine.ts";
import { PAGE_SIZE, PhysicalMemory } from "../physical-memory.ts";
import { RAX, RIP } from "../registers.ts";
import { createWasmEngine, type InspectableEngine } from "./wasm-engine.ts";

describe("the wasm engine", () => {
  const start = (source: string): TestMachine => {
    const machine = new TestMachine((memory) => createWasmEngine(memory));
    machine.load(source);
    return machine;
  };
  const regions = (machine: TestMachine): number => (machine.engine as InspectableEngine).translator.statistics.regions;

  test("an instruction without a lowering is #UD where it stands, and is on the list", () => {
    const machine = start("inc eax; vaddps ymm0, ymm1, ymm2; syscall");
    expect(machine.run()).toEqual(fault(CODE + 2, 6));
    expect([...(machine.engine as InspectableEngine).translator.unknown.keys()]).toEqual(["vaddps"]);
  });

  test("code whose frame was touched but is the same is not translated again", () => {
    const machine = start("mov eax, 5; syscall");
    const pfn = machine.memory.u32[machine.entryIndex(CODE)]! >>> 12;
    machine.run();
    const before = regions(machine);
    machine.memory.u8[pfn * PAGE_SIZE + 2000] = 1;
    machine.engine.invalidateFrame(pfn);
    machine.cpu.set(RIP, CODE);
    expect(machine.run().stop).toBe("syscall");
    expect([regions(machine), machine.cpu.get(RAX)]).toEqual([before, 5]);
  });

  test("a loop is one region, and its slices stop inside it", () => {
    const machine = start("mov ecx, 1000\n again: dec ecx; jnz again; syscall");
    expect(machine.run(10).stop).toBe("budget");
    expect(machine.run().stop).toBe("syscall");
    expect(regions(machine)).toBeLessThanOrEqual(2);
  });

  test("tables are consecutive frames, given back at the end; without room making an engine is an error", () => {
    const memory = new PhysicalMemory(1 << 20);
    const before = memory.freeFrames;
    const engine = createWasmEngine(memory);
    expect(before - memory.freeFrames).toBe(109);
    engine.dispose();
    expect(memory.freeFrames).toBe(before);
    const small = new PhysicalMemory(65536);
    expect(() => createWasmEngine(small)).toThrow(/not enough RAM/);
    expect(small.freeFrames).toBe(15);
  });
});
