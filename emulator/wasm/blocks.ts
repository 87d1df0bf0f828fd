/** Finds the instructions of a region: everything reachable from an entry without leaving its page. */
import { PAGE_SIZE } from "../physical-memory.ts";
import type { CodeReader, Instruction } from "./decode.ts";

export interface Block {
  readonly start: number;
  readonly instructions: readonly Instruction[];
}

/** More instructions than this make V8's optimizing compiler slow (notes/wasm-jit.md, section 3). */
export const MAX_INSTRUCTIONS = 400;

/**
 * Blocks in the order of their addresses. A block starts at the entry, at a jump's target and behind a call or
 * SYSCALL, and goes on behind conditional branches that nobody jumps behind. It ends with an instruction that does not
 * go on, before the next block, or at the end of what was decoded. Where another region has an entry (`isKnown`) this one
 * ends: the same code is not compiled twice.
 */
export function findBlocks(
  reader: CodeReader,
  entry: number,
  isKnown: (address: number) => boolean = () => false,
  limit = MAX_INSTRUCTIONS,
): Block[] {
  const page = entry - (entry % PAGE_SIZE);
  const inPage = (address: number): boolean => address >= page && address < page + PAGE_SIZE;
  const found = new Map<number, Instruction>();
  const leaders = new Set([entry]);
  const queue = [entry];
  const lead = (address: number): void => {
    if (!inPage(address) || leaders.has(address) || isKnown(address)) return;
    leaders.add(address);
    queue.push(address);
  };
  for (let start = queue.shift(); start !== undefined; start = queue.shift()) {
    let address = start;
    while (inPage(address) && !found.has(address) && found.size < limit) {
      const instruction = reader.read(address);
      if (!instruction) break;
      found.set(address, instruction);
      const next = address + instruction.length;
      const target = instruction.operands[0];
      if (target?.kind === "branch" && (instruction.flow === "branch" || instruction.flow === "jump"))
        lead(target.target);
      if (instruction.flow === "call" || instruction.mnemonic === "syscall") lead(next);
      if (instruction.flow !== "next" && instruction.flow !== "branch") break;
      address = next;
      if (isKnown(address)) break;
    }
  }
  return [...leaders]
    .filter((leader) => found.has(leader))
    .sort((a, b) => a - b)
    .map((start) => blockFrom(start, found, leaders));
}

function blockFrom(start: number, found: Map<number, Instruction>, leaders: Set<number>): Block {
  const instructions: Instruction[] = [];
  for (let at = start; ;) {
    const instruction = found.get(at);
    if (!instruction || (at !== start && leaders.has(at))) break;
    instructions.push(instruction);
    if (instruction.flow !== "next" && instruction.flow !== "branch") break;
    at += instruction.length;
  }
  return { start, instructions };
}
