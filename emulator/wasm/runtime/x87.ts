/** The x87 unit: not there yet. */
import type { PhysicalMemory } from "../../physical-memory.ts";

export class X87Unit {
  readonly memory: PhysicalMemory;

  constructor(memory: PhysicalMemory) {
    this.memory = memory;
  }

  readonly run = (_operation: number, _operand: number, _host: number): number => {
    throw new Error("not there yet");
  };
}
