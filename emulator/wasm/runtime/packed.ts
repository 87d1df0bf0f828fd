/** Packed operations without a counterpart in WebAssembly, on operands at AT_SCRATCH. */
import type { PhysicalMemory } from "../../physical-memory.ts";

export const PACKED_OPERATIONS = ["pcmpestri", "pcmpestrm", "pcmpistri", "pcmpistrm"] as const;

export function packedHelper(_memory: PhysicalMemory): (operation: number, control: number) => void {
  return () => {
    throw new Error("not there yet");
  };
}
