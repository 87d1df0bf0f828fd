/**
 * What a region consists of: the blocks reachable from its entry, as far as the program has gone, with small functions
 * written out where they are called.
 */
import type { Instruction } from "../decode.ts";

export interface Block {
  readonly start: number;
  readonly instructions: readonly Instruction[];
  /** The call this block's code was written out for; none: it is the region's own. */
  readonly frame: Frame | undefined;
  /** Index of the block control goes to with a jump or a branch taken, or into a function written out here. */
  readonly target: number | undefined;
  /** Where an indirect jump, or a call to functions written out, is known to lead: blocks by their numbers. */
  readonly known: readonly number[];
  /** Index of the block behind the last instruction: fallen into, or come back to from a call. */
  readonly next: number | undefined;
  /** Whether `target` is a function that was written out. */
  readonly entersFunction: boolean;
}

/** A call whose callee stands in the region. */
export interface Frame {
  readonly returnAddress: number;
  readonly caller: Frame | undefined;
  readonly depth: number;
}

/** Where the region's first block stands. */
const ENTRY: Frame = { returnAddress: 0, caller: undefined, depth: 0 };

/** What is known of the program's ways. */
export interface Profile {
  /** The instruction at an address; undefined where it cannot be fetched. */
  read(address: number): Instruction | undefined;
  /** Whether control has gone to an address, and often enough to count. */
  reached(address: number): boolean;
  /** Whether a region starts at an address already. */
  compiled(address: number): boolean;
  /** Where the indirect jump or call at an address has led so far. */
  targets(jump: number): readonly number[];
}

/** More instructions than this make V8's optimizing compiler slow (notes/wasm-jit.md, section 3). */
const MOST_INSTRUCTIONS = 500;
/** A region as large as this does not take in what is a region of its own. */
const ABSORBS_BELOW = 120;
/** What starts in the middle of another region ends where any starts, and is small. */
const MOST_INSTRUCTIONS_ASIDE = 120;
/** A function of so few instructions is written out where it is called, in regions and frames up to these bounds. */
const SMALL_FUNCTION = 40;
const WRITES_OUT_BELOW = 250;
const DEEPEST_FRAME = 2;
/** An indirect call that has led to more functions than this stays a call. */
const MOST_CALLEES = 3;

/** An address within a frame. */
interface Place {
  readonly frame: Frame | undefined;
  readonly address: number;
}

export interface RegionSize {
  readonly limit: number;
  /** From so many instructions on a region does not take in what is a region of its own. */
  readonly absorbsBelow: number;
}

export const USUAL_SIZE: RegionSize = { limit: MOST_INSTRUCTIONS, absorbsBelow: ABSORBS_BELOW };
/** Of a region that starts in the middle of another one. */
export const SIZE_ASIDE: RegionSize = { limit: MOST_INSTRUCTIONS_ASIDE, absorbsBelow: 0 };

/** The blocks of the region with an entry at an address, which is the first of them. Empty: it cannot be fetched. */
export function findBlocks(profile: Profile, entry: number, size = USUAL_SIZE): Block[] {
  return new GraphFinder(profile, size).find(entry);
}

interface Run {
  readonly place: Place;
  readonly instructions: Instruction[];
  target: Place | undefined;
  known: readonly Place[];
  next: Place | undefined;
  entersFunction: boolean;
}

class GraphFinder {
  private readonly profile: Profile;
  private readonly limits: RegionSize;
  private readonly frames = new Map<Frame | undefined, Map<number, Run>>();
  private readonly runs: Run[] = [];
  private readonly queue: Place[] = [];
  private readonly sizes = new Map<number, number>();
  private size = 0;

  constructor(profile: Profile, limits: RegionSize) {
    this.profile = profile;
    this.limits = limits;
  }

  find(entry: number): Block[] {
    // The first block stands apart, so that a loop around it starts with flags of its own making.
    this.leadTo({ frame: ENTRY, address: entry });
    for (let place = this.queue.shift(); place; place = this.queue.shift()) {
      if (!this.runAt(place)) this.follow(place);
    }
    return this.link();
  }

  private runAt({ frame, address }: Place): Run | undefined {
    return this.frames.get(frame)?.get(address);
  }

  private leadTo(place: Place): Place {
    this.queue.push(place);
    return place;
  }

  /** Where the program has been, and not too much of what is compiled already. */
  private mayEnter(address: number): boolean {
    return this.profile.reached(address) && !this.endsAt(address);
  }

  /** Whether an address is left to a region that starts there. */
  private endsAt(address: number): boolean {
    return this.size >= this.limits.absorbsBelow && this.profile.compiled(address);
  }

  /** One block: up to a branch, or to where another one starts. */
  private follow(place: Place): void {
    const frame = place.frame === ENTRY ? undefined : place.frame;
    const run: Run = { place, instructions: [], target: undefined, known: [], next: undefined, entersFunction: false };
    let address = place.address;
    while (this.size < this.limits.limit) {
      const instruction = this.profile.read(address);
      if (!instruction || leadsAway(instruction)) break;
      run.instructions.push(instruction);
      this.size++;
      address += instruction.length;
      if (instruction.flow !== "next") {
        this.branch(run, frame, instruction, address);
        break;
      }
      if (this.runAt({ frame, address })) {
        run.next = { frame, address };
        break;
      }
    }
    if (run.instructions.length === 0) return;
    let known = this.frames.get(place.frame);
    if (!known) this.frames.set(place.frame, (known = new Map()));
    known.set(place.address, run);
    this.runs.push(run);
  }

  private branch(run: Run, frame: Frame | undefined, instruction: Instruction, next: number): void {
    const { flow, operands, mnemonic } = instruction;
    const [operand] = operands;
    const target = operand?.kind === "branch" ? operand.target : undefined;
    if (flow === "jump" && target !== undefined && !this.endsAt(target))
      run.target = this.leadTo({ frame, address: target });
    if (flow === "stop" && mnemonic === "jmp") {
      const targets = this.profile.targets(instruction.address).filter((address) => this.mayEnter(address));
      run.known = targets.map((address) => this.leadTo({ frame, address }));
    }
    if (flow === "branch" && target !== undefined && this.mayEnter(target)) {
      run.target = this.leadTo({ frame, address: target });
    }
    if (flow === "branch" && this.mayEnter(next)) run.next = this.leadTo({ frame, address: next });
    if (flow === "call" && this.profile.reached(next)) {
      run.next = this.leadTo({ frame, address: next });
      const callees = target === undefined ? this.profile.targets(instruction.address) : [target];
      const depth = (frame?.depth ?? 0) + 1;
      if (depth > DEEPEST_FRAME || this.size >= WRITES_OUT_BELOW || callees.length > MOST_CALLEES) return;
      const within = { returnAddress: next, caller: frame, depth };
      const places = callees
        .filter((callee) => this.functionSize(callee) <= SMALL_FUNCTION)
        .map((address) => this.leadTo({ frame: within, address }));
      if (target === undefined) run.known = places;
      else if (places[0]) {
        run.target = places[0];
        run.entersFunction = true;
      }
    }
  }

  /** Instructions of the function at an address, as far as it was run, without those it calls; at most some more than few. */
  private functionSize(entry: number): number {
    const known = this.sizes.get(entry);
    if (known !== undefined) return known;
    const seen = new Set<number>();
    const queue = this.profile.reached(entry) ? [entry] : [];
    let size = queue.length === 0 ? Infinity : 0;
    for (let start = queue.shift(); start !== undefined; start = queue.shift()) {
      for (let address = start; !seen.has(address) && size <= SMALL_FUNCTION;) {
        const instruction = this.profile.read(address);
        if (!instruction) break;
        seen.add(address);
        size++;
        const { flow, operands, length } = instruction;
        address += length;
        if (flow === "next") continue;
        const target = operands[0]?.kind === "branch" ? operands[0].target : undefined;
        if (flow === "branch" || flow === "call") if (this.profile.reached(address)) queue.push(address);
        if (flow === "jump" && target !== undefined) queue.push(target);
        if (flow === "stop") queue.push(...this.profile.targets(address - length));
        if (flow === "branch" && target !== undefined && this.profile.reached(target)) queue.push(target);
        break;
      }
    }
    this.sizes.set(entry, size);
    return size;
  }

  private link(): Block[] {
    const numbers = new Map(this.runs.map((run, i) => [run, i]));
    const numberOf = (place: Place | undefined): number | undefined => {
      const run = place && this.runAt(place);
      return run && numbers.get(run);
    };
    return this.runs.map(({ place, instructions, target, known, next, entersFunction }) => ({
      start: place.address,
      instructions,
      frame: place.frame === ENTRY ? undefined : place.frame,
      target: numberOf(target),
      known: known.map(numberOf).filter((number) => number !== undefined),
      next: numberOf(next),
      entersFunction: entersFunction && numberOf(target) !== undefined,
    }));
  }
}

/** Branches to where no user code can be are the interpreter's: such addresses are not exact as numbers. */
const leadsAway = ({ operands: [target] }: Instruction): boolean =>
  target?.kind === "branch" && !Number.isSafeInteger(target.target);
