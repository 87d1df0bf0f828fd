/** `trapgate debug --dump-wasm PROGRAM [ADDRESS|SYMBOL]` */
import { readFileSync } from "node:fs";
import { viewHandler, viewRegion, type FunctionView, type RegionView } from "../machine/inspect/code-view.ts";
import { nameOf, readProgramCode, segmentAt, symbolAt, type ProgramCode } from "../machine/inspect/program-code.ts";
import { CPU_MODELS, DEFAULT_CPU_MODEL, writeFully, type CpuModel } from "../machine/node/index.ts";
import { describeOptions, parseArguments, type OptionSpec } from "./arguments.ts";
import { listing } from "./listing.ts";
import { OptionReader } from "./run-options.ts";
import { UsageError } from "./usage.ts";
import { wasmText } from "./wasm-text.ts";

const COMMAND = "trapgate debug";

const specs: readonly OptionSpec[] = [
  { name: "dump-wasm", help: "the region that starts at ADDRESS, as the engine wasm would compile it" },
  { name: "handlers", help: "what its interpreter calls for the instruction at ADDRESS" },
  { name: "count", value: "N", help: "a region of at most N instructions (default 500, as in a run)" },
  { name: "cpu", value: "MODEL", help: `the processor: ${CPU_MODELS.join(" or ")}` },
];

export const help = `Usage: trapgate debug --dump-wasm|--handlers [options] PROGRAM [ADDRESS|SYMBOL]

Shows what becomes of x86-64 code on the engine wasm: guest instructions with their bytes, in Intel's and in AT&T
syntax, and the WebAssembly made of them. Nothing is run. Here a region goes as far as the function around ADDRESS
and ends at system calls; in a run it consists of what was reached. Addresses are those in the file, such as
0x401000. Default: the program's entry point.

${describeOptions(specs)}
`;

interface Request {
  readonly code: ProgramCode;
  readonly title: string;
  readonly address: number;
  readonly model: CpuModel;
  readonly limit: number | undefined;
}

export async function main(words: readonly string[]): Promise<number> {
  const { given, rest } = parseArguments(COMMAND, specs, words, true);
  const [program, place, extra] = rest;
  if (given.has("dump-wasm") === given.has("handlers"))
    throw new UsageError(`${COMMAND}: say what to show: --dump-wasm or --handlers`);
  if (program === undefined) throw new UsageError(`${COMMAND}: which program?`);
  if (extra !== undefined) throw new UsageError(`${COMMAND}: "${extra}" is one word too many`);
  const reader = new OptionReader(COMMAND, given);
  const model =
    reader.read("cpu", CPU_MODELS.join(" or "), (value) => CPU_MODELS.find((one) => one === value)) ??
    DEFAULT_CPU_MODEL;
  const limit = reader.read("count", "a whole number from 1 to 500", parseCount);
  const code = readProgram(program);
  const address = place === undefined ? code.entry : findPlace(code, program, place);
  const request = { code, title: program, address, model, limit };
  const text = given.has("handlers") ? await describeHandler(request) : await describeRegion(request);
  writeFully(1, new TextEncoder().encode(text));
  return 0;
}

function parseCount(text: string): number | undefined {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 500 ? count : undefined;
}

/** @throws UsageError */
function readProgram(path: string): ProgramCode {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UsageError(`${COMMAND}: ${path}: ${(error as Error).message}`);
  }
  try {
    return readProgramCode(bytes);
  } catch {
    throw new UsageError(`${COMMAND}: ${path}: is not an x86-64 ELF executable`);
  }
}

/** An address, or that of a symbol. @throws UsageError */
function findPlace(code: ProgramCode, program: string, place: string): number {
  const symbol = code.symbols.find(({ name }) => name === place);
  if (symbol) return symbol.address;
  if (/^0x[0-9a-f]{1,12}$/i.test(place)) return Number(place);
  throw new UsageError(`${COMMAND}: ${program} has no symbol "${place}"; an address starts with 0x`);
}

/** The segment around the address, with the function there as what counts as reached. @throws UsageError */
function viewed({ code, title, address }: Request) {
  const segment = segmentAt(code, address);
  if (!segment) throw new UsageError(`${COMMAND}: ${title} has no code at 0x${address.toString(16)}`);
  const symbol = symbolAt(code, address);
  const end = segment.address + segment.bytes.length;
  const scope = symbol && symbol.size > 0 ? [symbol.address, symbol.address + symbol.size] : [segment.address, end];
  return { ...segment, from: scope[0]!, to: scope[1]! };
}

async function describeRegion(request: Request): Promise<string> {
  const { address, model, limit, title } = request;
  const view = viewRegion(viewed(request), address, { model, ...(limit !== undefined && { limit }) });
  if (!view) throw nothingAt(request);
  const count = view.blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);
  const head = [
    `${title}: the region at ${placeName(request, address)}`,
    `${plural(count, "instruction")} in ${plural(view.blocks.length, "block")}, ${sizeOf(view, count)}`,
    ...unknownLine(view),
  ];
  return asText([...head, ...blockLines(view, request)], view, request);
}

async function describeHandler(request: Request): Promise<string> {
  const { address, model, title } = request;
  const view = viewHandler(viewed(request), address, model);
  if (!view) throw nothingAt(request);
  const head = [
    `${title}: the interpreter's handler for the instruction at ${placeName(request, address)}`,
    sizeOf(view, 1),
    ...unknownLine(view),
  ];
  return asText([...head, "", ...listing([view.instruction])], view, request);
}

function nothingAt({ title, address }: Request): UsageError {
  return new UsageError(`${COMMAND}: ${title} has no whole instruction at 0x${address.toString(16)}`);
}

/** A listing in comments, then the module. */
async function asText(lines: readonly string[], view: FunctionView, { code }: Request): Promise<string> {
  const addressName = (address: bigint): string | undefined => {
    if (address >= 2n ** 48n || !segmentAt(code, Number(address))) return undefined;
    const name = nameOf(code, Number(address));
    return `0x${address.toString(16)}${name && ` <${name}>`}`;
  };
  const comments = lines.map((line) => `;; ${line}`.trimEnd());
  return `${comments.join("\n")}\n${view.annotate(await wasmText(view.module), addressName)}`;
}

function blockLines({ blocks }: RegionView, request: Request): string[] {
  return blocks.flatMap(({ instructions, target, next, depth }, number) => {
    const ways = [target, next].filter((block) => block !== undefined).map((block) => `block ${block}`);
    const goes = ways.length > 0 ? `, goes to ${ways.join(" or ")}` : "";
    const inner = depth > 0 ? ", written out in place of a call" : "";
    return [
      "",
      `block ${number} at ${placeName(request, instructions[0]!.address)}${inner}${goes}`,
      ...listing(instructions),
    ];
  });
}

function placeName({ code }: Request, address: number): string {
  const name = nameOf(code, address);
  return `0x${address.toString(16)}${name && ` <${name}>`}`;
}

function sizeOf({ size }: FunctionView, instructions: number): string {
  const each = instructions > 1 ? `, ${Math.round(size / instructions)} an instruction` : "";
  return `${size} bytes of WebAssembly${each}`;
}

function unknownLine({ unknown }: FunctionView): string[] {
  return unknown.length > 0 ? [`not known to the engine, they raise #UD: ${unknown.join(", ")}`] : [];
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
