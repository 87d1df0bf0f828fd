/** What the engine makes of some code, for people to look at: nothing is run. */
import { PhysicalMemory } from "../../physical-memory.ts";
import { CodeReader, type Instruction } from "../decode.ts";
import { disassemble, type Disassembly } from "../disassemble.ts";
import type { FunctionBody } from "../emit/module-writer.ts";
import { FormReader } from "../interpret/forms.ts";
import { Handlers } from "../interpret/handlers.ts";
import { reserveTables, type Layout } from "../layout.ts";
import { linkedModule } from "../linked-module.ts";
import { findBlocks, USUAL_SIZE, type Block, type Profile } from "../region/graph.ts";
import { translate } from "../region/translate.ts";
import type { CpuModel } from "../runtime/cpu-model.ts";
import { annotate, type Annotation } from "./annotate.ts";

/** Code that lies at an address, with what of it counts as having been reached. */
export interface ViewedCode {
  readonly bytes: Uint8Array;
  readonly address: number;
  /** A profile would say where the program has gone; here it is all between these addresses. */
  readonly from: number;
  readonly to: number;
}

export interface ViewOptions {
  readonly model: CpuModel;
  /** Longest region, in instructions. Default: as in a run. */
  readonly limit?: number;
}

export interface BlockView {
  readonly instructions: readonly Disassembly[];
  /** Numbers of the blocks control goes to: with a jump or branch taken, and without. */
  readonly target: number | undefined;
  readonly next: number | undefined;
  /** Calls it was written out for, in place of a call. */
  readonly depth: number;
}

/** WebAssembly of one function, in a module of its own. */
export interface FunctionView {
  readonly module: Uint8Array<ArrayBuffer>;
  /** The module's text form with names and comments. */
  readonly annotate: (text: string, addressName: Annotation["addressName"]) => string;
  /** Bytes of the function. */
  readonly size: number;
  /** Mnemonics the engine does not know: they raise #UD. */
  readonly unknown: readonly string[];
}

export interface RegionView extends FunctionView {
  readonly blocks: readonly BlockView[];
}

export interface HandlerView extends FunctionView {
  readonly instruction: Disassembly;
}

/** The tables lie where they would in a machine with so much RAM that has just started. */
const RAM = 64 << 20;
const usualLayout = (): Layout => reserveTables(new PhysicalMemory(RAM));

/** The region that starts at an address, its first block first; undefined where there is no code. */
export function viewRegion(code: ViewedCode, entry: number, { model, limit }: ViewOptions): RegionView | undefined {
  const reader = new CodeReader(code.bytes, code.address);
  try {
    const profile: Profile = {
      read: (address) => readIn(code, reader, address),
      reached: (address) => address >= code.from && address < code.to,
      compiled: () => false,
      targets: () => [],
    };
    const found = findBlocks(profile, entry, limit === undefined ? USUAL_SIZE : { ...USUAL_SIZE, limit });
    if (found.length === 0) return undefined;
    const unknown = new Set<string>();
    const layout = usualLayout();
    const body = translate(found, {
      layout,
      model,
      countInstructions: false,
      strictFloat: false,
      seed: 0,
      onUnknown: ({ mnemonic }) => unknown.add(mnemonic),
    });
    return {
      ...viewFunction(body, unknown, { layout, isHandler: false }),
      blocks: found.map((block) => viewBlock(code, block)),
    };
  } finally {
    reader.dispose();
  }
}

/** What the interpreter calls for the instruction at an address, and for all others of the same form. */
export function viewHandler(code: ViewedCode, address: number, model: CpuModel): HandlerView | undefined {
  const reader = new CodeReader(code.bytes, code.address);
  try {
    const instruction = readIn(code, reader, address);
    if (!instruction) return undefined;
    const unknown = new Set<string>();
    const made = new Map<number, FunctionBody>();
    let nextSlot = 0;
    const layout = usualLayout();
    const handlers = new Handlers({
      layout,
      model,
      strictFloat: false,
      makeRoom: () => {},
      reserve: () => nextSlot++,
      install: (functions, slots) => slots.forEach((slot, i) => made.set(slot, functions[i]!)),
      onUnknown: ({ mnemonic }) => unknown.add(mnemonic),
    });
    const { slot } = handlers.find(instruction, new FormReader().read(instruction));
    handlers.flush();
    const view = viewFunction(made.get(slot)!, unknown, { layout, isHandler: true });
    return { ...view, instruction: inWords(code, [instruction])[0]! };
  } finally {
    reader.dispose();
  }
}

function readIn({ bytes, address: start }: ViewedCode, reader: CodeReader, address: number): Instruction | undefined {
  return address >= start && address < start + bytes.length ? reader.read(address) : undefined;
}

function viewFunction(
  body: FunctionBody,
  unknown: ReadonlySet<string>,
  known: Omit<Annotation, "addressName">,
): FunctionView {
  return {
    module: linkedModule([body], known.layout),
    annotate: (text, addressName) => annotate(text, { ...known, addressName }),
    size: body.bytes.length,
    unknown: [...unknown],
  };
}

function viewBlock(code: ViewedCode, { instructions, target, next, frame }: Block): BlockView {
  return { instructions: inWords(code, instructions), target, next, depth: frame?.depth ?? 0 };
}

/** Instructions that lie behind one another. */
function inWords({ bytes, address: start }: ViewedCode, instructions: readonly Instruction[]): Disassembly[] {
  const first = instructions[0]!.address;
  return disassemble(bytes.subarray(first - start), first, instructions.length);
}
