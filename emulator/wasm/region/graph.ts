/** What a region consists of: the blocks reachable from its entry, as far as the program has gone. */
import type { Instruction } from "../decode.ts";

export interface Block {
  readonly start: number;
  readonly instructions: readonly Instruction[];
  /** Indexes of the blocks control goes to within the region. */
  readonly successors: readonly number[];
}

/** What is known of the program's ways. */
export interface Profile {
  /** The instruction at an address; undefined where it cannot be fetched. */
  read(address: number): Instruction | undefined;
  /** Whether control ever went to an address. */
  reached(address: number): boolean;
  /** Whether a region starts at an address already. */
  compiled(address: number): boolean;
}

/** More instructions than this make V8's optimizing compiler slow (notes/wasm-jit.md, section 3). */
const MOST_INSTRUCTIONS = 500;
/** A region as large as this does not take in what is a region of its own. */
const ABSORBS_BELOW = 120;

/** The blocks of the region with an entry at an address, which is the first of them. Empty: it cannot be fetched. */
export function findBlocks(profile: Profile, entry: number, limit = MOST_INSTRUCTIONS): Block[] {
  const found = new Map<number, Instruction>();
  const leaders = new Set([entry]);
  const queue = [entry];
  const lead = (address: number): void => {
    if (leaders.has(address)) return;
    if (found.size >= ABSORBS_BELOW && profile.compiled(address)) return;
    leaders.add(address);
    queue.push(address);
  };
  for (let start = queue.shift(); start !== undefined; start = queue.shift()) {
    let address = start;
    while (!found.has(address) && found.size < limit) {
      const instruction = profile.read(address);
      if (!instruction) break;
      found.set(address, instruction);
      const next = address + instruction.length;
      const target = targetOf(instruction);
      if (instruction.flow === "branch") {
        if (target !== undefined && profile.reached(target)) lead(target);
        if (profile.reached(next)) lead(next);
        break;
      } else if (instruction.flow === "jump") {
        if (target !== undefined) lead(target);
        break;
      } else if (instruction.flow === "call") {
        if (profile.reached(next)) lead(next);
        break;
      } else if (instruction.flow === "stop") break;
      address = next;
    }
  }
  return link(entry, found, leaders);
}

/** Where a direct branch goes. */
export function targetOf({ flow, operands }: Instruction): number | undefined {
  const target = operands[0];
  return (flow === "branch" || flow === "jump") && target?.kind === "branch" ? target.target : undefined;
}

function link(entry: number, found: ReadonlyMap<number, Instruction>, leaders: ReadonlySet<number>): Block[] {
  const starts = [entry, ...[...leaders].filter((leader) => leader !== entry)].filter((leader) => found.has(leader));
  const numbers = new Map(starts.map((start, i) => [start, i]));
  const blocks = starts.map((start): Block => {
    const instructions: Instruction[] = [];
    for (let at = start; ;) {
      const instruction = found.get(at);
      if (!instruction || (at !== start && numbers.has(at))) break;
      instructions.push(instruction);
      if (instruction.flow !== "next") break;
      at += instruction.length;
    }
    const last = instructions.at(-1)!;
    const ways = [targetOf(last), goesOn(last) ? last.address + last.length : undefined];
    const successors = ways.flatMap((way) => (way === undefined ? [] : (numbers.get(way) ?? [])));
    return { start, instructions, successors: [...new Set(successors)] };
  });
  return reachable(blocks);
}

/** Whether control may come to the instruction behind. */
const goesOn = ({ flow }: Instruction): boolean => flow === "next" || flow === "branch" || flow === "call";

/** Without blocks that nothing leads to (their leaders lay in others' middle). */
function reachable(blocks: readonly Block[]): Block[] {
  const seen = new Set<number>(blocks.length > 0 ? [0] : []);
  for (const i of seen) for (const to of blocks[i]!.successors) seen.add(to);
  const kept = [...seen].sort((a, b) => a - b);
  const renumbered = new Map(kept.map((old, i) => [old, i]));
  return kept.map((i) => ({
    ...blocks[i]!,
    successors: blocks[i]!.successors.map((to) => renumbered.get(to)!),
  }));
}
