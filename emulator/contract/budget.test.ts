/** Budgets are exact and repeatable, and interrupting a program does not change what it computes. */
import { expect, test } from "vitest";
import { STOP_BUDGET } from "../engine.ts";
import { PAGE_SIZE } from "../physical-memory.ts";
import { CPU_GENERAL_SIZE, RAX, RCX, RDI, RIP, RSI, RSP } from "../registers.ts";
import { describeEngines } from "./engines.ts";
import { CODE, DATA, STACK_TOP, TestMachine } from "./test-machine.ts";

/** Calls, branches that depend on data, stores and string instructions: RAX is a checksum in the end. */
const PROGRAM = `
  mov ecx, 300
  loop_top:
    push rcx
    call mix
    pop rcx
    test al, 1
    jz even
      add rax, rcx
      mov [rdi + rcx * 8], rax
    even:
    dec ecx
    jnz loop_top
  mov rsi, rdi
  lea rdi, [rdi + 0x1000]
  mov ecx, 500
  rep movsb
  lea rsi, [rdi - 500]
  mov ecx, 500
  sum:
    movzx edx, byte ptr [rsi]
    imul rax, rax, 31
    add rax, rdx
    inc rsi
    dec ecx
    jnz sum
  syscall
  mix:
    imul rax, rax, 1103515245
    add rax, 12345
    rol rax, 7
    cmp rax, rcx
    jb done
      xor rax, rcx
    done: ret`;

describeEngines("budget", (create) => {
  const start = () => {
    const machine = new TestMachine(create);
    machine.load(PROGRAM);
    machine.addStack();
    machine.map(DATA, "rw");
    machine.map(DATA + PAGE_SIZE, "rw");
    machine.cpu.set(RDI, DATA);
    machine.cpu.set(RAX, 1);
    return machine;
  };

  /** Runs the program in slices; returns its state after each, as one string a slice. */
  const trace = (slice: number) => {
    const machine = start();
    const { engine, cpu } = machine;
    const states: string[] = [];
    const registers = new BigUint64Array(cpu.buffer, 0, CPU_GENERAL_SIZE / 8);
    let total = 0;
    while (engine.run(slice) === STOP_BUDGET) {
      expect(engine.stop.executed).toBe(slice);
      total += slice;
      states.push(registers.join());
    }
    total += engine.stop.executed;
    return { states, total, result: cpu.u64[RAX], end: cpu.get(RIP), registers: registers.join() };
  };

  test("an endless loop stops when the budget is used up", () => {
    const machine = new TestMachine(create);
    machine.load("again: inc rax; jmp again");
    expect(machine.run(1000)).toEqual({ stop: "budget", rip: CODE });
    expect(machine.engine.stop.executed).toBe(1000);
  });

  test("the same program with the same budgets stops at the same places", () => {
    for (const slice of [1, 7, 100]) expect(trace(slice)).toEqual(trace(slice));
  });

  test("slices of 1, 3 and 7 add up to the same states and the same result", () => {
    const ones = trace(1);
    expect(ones.states.length).toBeGreaterThan(1000);
    for (const slice of [3, 7, 1000000]) {
      const other = trace(slice);
      expect(other.states).toEqual(ones.states.filter((_, i) => (i + 1) % slice === 0));
      expect([other.total, other.result, other.end]).toEqual([ones.total, ones.result, ones.end]);
      expect(other.registers).toBe(ones.registers);
    }
  });

  test("a budget that reaches exactly to a syscall does not stop before it", () => {
    const machine = new TestMachine(create);
    machine.load("syscall");
    expect(machine.run(1)).toEqual({ stop: "syscall", rip: CODE + 2 });
    expect(machine.engine.stop.executed).toBeLessThanOrEqual(1);
  });

  test("demand faults do not change the places where slices end", () => {
    const run = (premapped: boolean) => {
      const machine = start();
      if (!premapped) {
        machine.unmap(DATA);
        machine.unmap(STACK_TOP - PAGE_SIZE);
      }
      machine.runOnDemand();
      return [RAX, RCX, RSI, RDI, RSP, RIP].map((register) => machine.cpu.u64[register]);
    };
    expect(run(false)).toEqual(run(true));
  });

  test("changes of address space between slices do not disturb a program", () => {
    const expected = trace(1000000).result;
    const machine = start();
    const root = machine.root;
    const other = machine.createRoot();
    while (machine.engine.run(5) === STOP_BUDGET) {
      machine.engine.activate(other);
      machine.engine.activate(root);
    }
    expect(machine.cpu.u64[RAX]).toBe(expected);
  });
});
