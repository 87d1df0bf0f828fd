/** A difference in words that a person can act on. */
import { syscallByNumber } from "../../abi/syscalls.ts";
import type { Stop } from "../engine.ts";
import { PAGE_SIZE } from "../physical-memory.ts";
import { R10, R8, R9, RAX, RDI, RDX, REGISTER_NAMES, RIP, RSI, type CpuState } from "../registers.ts";
import { disassemble } from "../wasm/disassemble.ts";
import { describeStop, type Unequal } from "./compare.ts";
import type { Part } from "./narrow.ts";
import type { UnequalPage } from "./pair.ts";
import type { Culprit } from "./step-through.ts";

/** A system call as the processor saw it: registers at the SYSCALL instruction, and RAX behind it. */
export interface CallRecord {
  readonly registers: BigUint64Array;
  result: bigint | undefined;
}

interface Common {
  /** Names of the two engines. */
  readonly names: readonly string[];
  readonly piece: number;
  readonly calls: readonly CallRecord[];
}

/** From where to where a piece ran, and what differed behind it. */
export interface PieceEnd {
  readonly start: number;
  readonly end: number;
  readonly stops: readonly [Stop, Stop];
  readonly unequal: readonly Unequal[];
  readonly pages: readonly UnequalPage[];
}

/** One instruction is known to be the first that did not do the same. */
export interface InstructionDifference extends Common {
  readonly culprit: Culprit;
  /** How the piece ended when it ran at speed; undefined if it never did. */
  readonly atSpeed: PieceEnd | undefined;
  readonly registers: readonly [CpuState, CpuState];
}

/** A piece differs when it runs at speed, and does not when it is stepped through. */
export interface PieceDifference extends Common {
  /** A smaller part that shows the difference, with its code. */
  readonly part: (Part & { readonly code: Uint8Array }) | undefined;
  readonly atSpeed: PieceEnd;
  /** Code at its start. */
  readonly code: Uint8Array;
}

const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9];
const LINE = 16;
const MOST_LINES = 8;

export function describeDifference(difference: InstructionDifference | PieceDifference): string {
  const [first, second] = difference.names;
  return [
    `the engines differ: ${first} (first) and ${second} (second), piece ${difference.piece}`,
    ...("culprit" in difference ? describeCulprit(difference) : describePiece(difference)),
    ...(difference.calls.length > 0 ? ["last system calls:", ...difference.calls.map(describeCall)] : []),
  ].join("\n");
}

function describeCulprit({ culprit, registers, atSpeed }: InstructionDifference): string[] {
  const { rip, code, unequal, pages } = culprit;
  return [
    "first instruction that does not do the same:",
    ...describeCode(code, rip, 1),
    ...describeUnequal(unequal),
    ...pages.flatMap(describePage),
    "registers behind it (* differs):",
    ...describeRegisters(...registers),
    ...(atSpeed ? describeEnd(atSpeed) : []),
  ];
}

function describePiece({ part, atSpeed, code }: PieceDifference): string[] {
  return [
    "they differ when they run at speed, and not when they are stepped through:",
    "a mistake that needs more than one instruction at a time (translation of a block, flags, invalidation).",
    ...describeEnd(atSpeed),
    "code at its start:",
    ...describeCode(code, atSpeed.start, 8),
    ...(part ? describePart(part) : ["no smaller part of it shows a difference."]),
  ];
}

function describePart({ size, start, end, unequal, pages, code }: Part & { readonly code: Uint8Array }): string[] {
  return [
    `the difference shows between ${hex(start)} and ${hex(end)} (${size} budget units):`,
    ...describeUnequal(unequal),
    ...pages.flatMap(describePage),
    ...describeCode(code, start, size === 1 ? 16 : 8),
  ];
}

function describeEnd({ start, end, stops, unequal, pages }: PieceEnd): string[] {
  const [first, second] = stops.map(describeStop);
  return [
    `the piece at speed, from ${hex(start)} to ${hex(end)}: ${first} (first), ${second} (second)`,
    ...describeUnequal(unequal),
    ...pages.flatMap(describePage),
  ];
}

function describeCode(code: Uint8Array, address: number, count: number): string[] {
  const lines = disassemble(code, address, count);
  if (lines.length === 0) return [`  ${hex(address)}  (cannot be read)`];
  return lines.map((line) =>
    `  ${hex(line.address)}  ${line.bytes.padEnd(24)}  ${line.intel.padEnd(36)}  ${line.gas}`.trimEnd(),
  );
}

function describeUnequal(unequal: readonly Unequal[]): string[] {
  return unequal.map(({ what, first, second }) => `  ${what}: ${first} (first), ${second} (second)`);
}

function describePage({ page, first, second }: UnequalPage): string[] {
  const lines: string[] = [];
  let more = 0;
  for (let at = 0; at < PAGE_SIZE; at += LINE) {
    const [x, y] = [first, second].map((bytes) => Array.from(bytes.subarray(at, at + LINE)));
    if (x!.every((byte, i) => byte === y![i])) continue;
    if (lines.length >= 2 * MOST_LINES) {
      more++;
      continue;
    }
    const text = (bytes: number[], other: number[]): string =>
      bytes.map((byte, i) => (byte === other[i] ? " " : "*") + byte.toString(16).padStart(2, "0")).join("");
    lines.push(
      `  ${hex(page + at)} first  ${text(x!, y!)}`,
      `  ${" ".repeat(hex(page).length)} second ${text(y!, x!)}`,
    );
  }
  return ["memory (* differs):", ...lines, ...(more > 0 ? [`  and ${more} more lines of this page`] : [])];
}

function describeRegisters(a: CpuState, b: CpuState): string[] {
  return REGISTER_NAMES.map((name, i) => {
    const [x, y] = [a.u64[i]!, b.u64[i]!].map((value) => value.toString(16).padStart(16, "0"));
    return `  ${x === y ? " " : "*"} ${name.padEnd(7)} ${x}${x === y ? "" : `  ${y}`}`;
  });
}

function describeCall({ registers, result }: CallRecord): string {
  const number = Number(registers[RAX]! & 0xffffffffn);
  const name = syscallByNumber[number]?.name ?? `call ${number}`;
  const count = syscallByNumber[number]?.args.length ?? ARGUMENTS.length;
  const values = ARGUMENTS.slice(0, count).map((register) => registers[register]!.toString(16));
  const outcome = result === undefined ? "" : ` = ${result}`;
  return `  ${hex(Number(registers[RIP]!))}  ${name}(${values.join(", ")})${outcome}`;
}

function hex(address: number): string {
  return address.toString(16).padStart(12, "0");
}
