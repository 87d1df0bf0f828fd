/** Goes through a piece of a program that did not end the same on both processors, instruction by instruction. */
import { disassemble, operandAddress } from "../wasm/disassemble.ts";
import { COMPARED_FLAGS, type Unequal } from "./compare.ts";
import type { Pair, UnequalPage } from "./pair.ts";
import { STEPPED } from "./replica.ts";

/** After so many instructions memory is compared and the piece so far is settled. */
const BATCH = 256;
/** So many instructions behind the last excuse both may run at full speed again. */
const QUIET = 2000;
const LONGEST_INSTRUCTION = 15;
/** Offsets in the FXSAVE image (Intel SDM volume 1, table 10-2). */
const FXSAVE_LAST_OPCODE = 5;
const FXSAVE_MXCSR = 24;
const FXSAVE_ST = 32;
const FXSAVE_XMM = 160;

/** How often something differed that may, and the first one's result was taken for both. */
export interface Excuses {
  /** CPUID: the engines' tables are their own. */
  cpuid: number;
  /**
   * FXSAVE: reserved bytes, which Unicorn does not write and a processor fills with zeros; FOP, FIP and FDP, which
   * processors keep differently (AMD's save zeros while no exception is pending, and so does the wasm engine).
   */
  fxsave: number;
  /** Flags that an instruction leaves undefined (by iced-x86's tables). */
  flags: number;
  /** Flags at a page fault of SETcc, which Unicorn has wrong unless it is single-stepped. */
  setcc: number;
}

/** The first instruction behind which the two are not the same. */
export interface Culprit {
  readonly rip: number;
  readonly code: Uint8Array;
  readonly unequal: readonly Unequal[];
  readonly pages: readonly UnequalPage[];
}

export interface Walk {
  /**
   * "stopped": both have come to the same stop. "quiet": there were excuses and none lately, go on at speed.
   * "differs": see `culprit`. "tired": the limit was reached without a difference.
   */
  readonly end: "stopped" | "quiet" | "differs" | "tired";
  readonly steps: number;
  readonly excuses: Excuses;
  readonly culprit?: Culprit;
}

/** Steps both from where the pair's piece began, at most `limit` instructions. */
export function stepThrough(pair: Pair, limit: number): Walk {
  const excuses: Excuses = { cpuid: 0, fxsave: 0, flags: 0, setcc: 0 };
  let steps = 0;
  let quietSince = 0;
  while (steps < limit) {
    const batch = stepBatch(pair, Math.min(BATCH, limit - steps), false);
    if (batch.culprit || batch.memoryDiffers) {
      const culprit = batch.culprit ?? findWrite(pair, batch.steps);
      return { end: "differs", steps: steps + batch.steps, excuses, culprit };
    }
    steps += batch.steps;
    if (lasting(batch.excuses) > 0) quietSince = steps;
    for (const reason of REASONS) excuses[reason] += batch.excuses[reason];
    if (batch.stopped) return { end: "stopped", steps, excuses };
    pair.commit();
    if (lasting(excuses) > 0 && steps - quietSince > QUIET) return { end: "quiet", steps, excuses };
  }
  return { end: "tired", steps, excuses };
}

export const REASONS = ["cpuid", "fxsave", "flags", "setcc"] as const satisfies readonly (keyof Excuses)[];

/** Excuses for differences that would have stayed. */
export function lasting({ cpuid, fxsave }: Excuses): number {
  return cpuid + fxsave;
}

interface Batch {
  readonly steps: number;
  readonly stopped: boolean;
  readonly memoryDiffers: boolean;
  readonly excuses: Excuses;
  readonly culprit?: Culprit;
}

/** At most `count` instructions; memory is compared behind each of them, or at the end only. */
function stepBatch(pair: Pair, count: number, everyWrite: boolean): Batch {
  const { first, second } = pair;
  const excuses: Excuses = { cpuid: 0, fxsave: 0, flags: 0, setcc: 0 };
  for (let step = 1; ; step++) {
    const { rip } = first;
    const code = first.space.read(rip, LONGEST_INSTRUCTION);
    const stopped = first.step() !== STEPPED;
    const alike = (second.step() !== STEPPED) === stopped;
    if (alike) excuseInstruction(pair, rip, code, excuses);
    const unequal = judge(pair, alike, rip, code, excuses);
    const isLast = stopped || step === count;
    const pages = everyWrite || isLast || unequal.length > 0 ? pair.unequalPages() : [];
    if (unequal.length > 0 || (everyWrite && pages.length > 0)) {
      return { steps: step, stopped, memoryDiffers: false, excuses, culprit: { rip, code, unequal, pages } };
    }
    if (isLast) return { steps: step, stopped, memoryDiffers: pages.length > 0, excuses };
  }
}

function excuseInstruction(pair: Pair, rip: number, code: Uint8Array, excuses: Excuses): void {
  // A REX prefix changes nothing here.
  const [escape, opcode, modrm] = (code[0]! & 0xf0) === 0x40 ? code.subarray(1) : code;
  if (escape !== 0x0f) return;
  if (opcode === 0xa2) {
    pair.second.engine.cpu.general.set(pair.first.engine.cpu.general);
    excuses.cpuid++;
  } else if (opcode === 0xae && modrm! < 0xc0 && (modrm! & 0x38) === 0) {
    const pages = pair.unequalPages();
    // The instruction changes no register.
    const image = operandAddress(code, rip, pair.first.engine.cpu.u64);
    if (pages.length === 0 || !pages.every((page) => differsInReserved(page, image))) return;
    for (const page of pages) pair.adoptPage(page);
    excuses.fxsave++;
  }
}

/** Whether all bytes that differ are FOP, FIP or FDP, or the last six of 16 for an x87 register of ten. */
function differsInReserved({ page, first, second }: UnequalPage, image: number): boolean {
  return first.every((byte, i) => {
    if (byte === second[i]) return true;
    const at = page + i - image;
    return (at >= FXSAVE_LAST_OPCODE && at < FXSAVE_MXCSR) || (at >= FXSAVE_ST && at < FXSAVE_XMM && at % 16 >= 10);
  });
}

/** What differs behind an instruction; where it is excused, the second takes over what the first has. */
function judge(pair: Pair, alike: boolean, rip: number, code: Uint8Array, excuses: Excuses): readonly Unequal[] {
  const unequal = pair.unequalState(COMPARED_FLAGS);
  const [a, b] = [pair.first.engine.cpu, pair.second.engine.cpu];
  if (alike && unequal.length === 1 && unequal[0]!.what === "rflags") {
    const undefined_ = BigInt(disassemble(code, rip)[0]?.undefinedFlags ?? 0);
    const left: Unequal[] = [];
    if (undefined_ !== 0n) pair.compareFlags(COMPARED_FLAGS & ~undefined_, left);
    else left.push(...unequal);
    if (left.length > 0) return left;
    excuses.flags++;
  } else if (unequal.length > 0) return unequal;
  // Flags that are never compared must not part the two later.
  b.general.set(a.general);
  return [];
}

/** Repeats a batch at the end of which memory differed, with a look at memory behind each instruction. */
function findWrite(pair: Pair, steps: number): Culprit {
  pair.rewind();
  const { culprit } = stepBatch(pair, steps, true);
  if (culprit) return culprit;
  const { rip } = pair.first;
  const unequal = [
    { what: "memory", first: "differs at the end of a batch", second: "but not when looked at more often" },
  ];
  return { rip, code: pair.first.space.read(rip, LONGEST_INSTRUCTION), unequal, pages: pair.unequalPages() };
}
