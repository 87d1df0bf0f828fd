/** Guest instructions in columns: address, bytes, Intel's syntax, AT&T's. */
import type { Disassembly } from "../machine/inspect/code-view.ts";

export function listing(instructions: readonly Disassembly[]): string[] {
  const width = (textOf: (instruction: Disassembly) => string): number =>
    Math.max(...instructions.map((instruction) => textOf(instruction).length));
  const [bytesWidth, intelWidth] = [width(({ bytes }) => bytes), width(({ intel }) => intel)];
  return instructions.map(({ address, bytes, intel, gas }) =>
    ["", address.toString(16), bytes.padEnd(bytesWidth), intel.padEnd(intelWidth), gas].join("  "),
  );
}
