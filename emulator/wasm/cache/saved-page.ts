/**
 * What is kept of the code in one page: the interpreter's blocks as they were written, with the names of their handlers,
 * and the functions of the regions that start there.
 */
import { ByteWriter } from "../emit/byte-writer.ts";
import type { FunctionBody } from "../emit/module-writer.ts";
import { RECORD_BYTES, RECORD_HANDLER } from "../interpret/records.ts";
import { ByteReader } from "./byte-reader.ts";

/** The same object for many blocks. */
export type HandlerNames = readonly (string | undefined)[];

/** A block of the interpreter. */
export interface SavedBlock {
  readonly address: number;
  /** Bytes of guest code. */
  readonly size: number;
  readonly instructions: number;
  readonly records: Uint8Array;
  /** Names of handlers by the numbers that the records have for them. */
  readonly handlers: HandlerNames;
}

/** A region, with the code it was made from. */
export interface SavedRegion {
  readonly address: number;
  readonly pieces: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  /** The module it was compiled in, and which of its functions it is. */
  readonly module: string;
  readonly index: number;
}

export interface SavedPage {
  readonly blocks: readonly SavedBlock[];
  readonly regions: readonly SavedRegion[];
}

const FORMAT = 3;

export function encodePage({ blocks, regions }: SavedPage): Uint8Array {
  const out = new ByteWriter();
  out.unsigned(FORMAT);
  const numbers = new Map<string, number>();
  const renumbered = blocks.map((block) => renumber(block, numbers));
  encodeNames(out, [...numbers.keys()]);
  out.unsigned(blocks.length);
  blocks.forEach(({ address, size, instructions }, i) => {
    out.signed(address);
    out.unsigned(size);
    out.unsigned(instructions);
    out.sized(renumbered[i]!);
  });
  out.unsigned(regions.length);
  for (const { address, pieces, module, index } of regions) {
    out.signed(address);
    out.unsigned(pieces.length);
    for (const piece of pieces) {
      out.signed(piece.address);
      out.sized(piece.bytes);
    }
    out.name(module);
    out.unsigned(index);
  }
  return out.bytes.slice();
}

/** A block's records with the page's numbers for their handlers; handlers that have none get one. */
function renumber({ records, handlers }: SavedBlock, numbers: Map<string, number>): Uint8Array {
  // A copy even of Node's Buffer, whose slice is none.
  const out = Uint8Array.from(records);
  const view = new DataView(out.buffer);
  for (let at = RECORD_HANDLER; at < out.length; at += RECORD_BYTES) {
    const name = handlers[view.getUint32(at, true)]!;
    let number = numbers.get(name);
    if (number === undefined) numbers.set(name, (number = numbers.size));
    view.setUint32(at, number, true);
  }
  return out;
}

/** Throws a RangeError when the bytes are not what `encodePage` writes. */
export function decodePage(bytes: Uint8Array): SavedPage {
  const from = new ByteReader(bytes);
  if (from.unsigned() !== FORMAT) throw new RangeError("a saved page of another format");
  const handlers = decodeNames(from);
  const blocks: SavedBlock[] = [];
  for (let count = from.unsigned(); count > 0; count--) {
    const address = from.signed();
    blocks.push({ address, size: from.unsigned(), instructions: from.unsigned(), records: records(from), handlers });
  }
  const regions = from.list((): SavedRegion => {
    const address = from.signed();
    const pieces = from.list(() => ({ address: from.signed(), bytes: from.sized() }));
    return { address, pieces, module: from.name(), index: from.unsigned() };
  });
  return { blocks, regions };
}

function records(from: ByteReader): Uint8Array {
  const bytes = from.sized();
  if (bytes.length % RECORD_BYTES !== 0) throw new RangeError("a record that is cut off");
  return bytes;
}

/** Names of letters without blanks, as one text: reading many short ones takes longer. */
export function encodeNames(out: ByteWriter, names: readonly string[]): void {
  out.name(names.join(" "));
}

export function decodeNames(from: ByteReader): string[] {
  const text = from.name();
  return text === "" ? [] : text.split(" ");
}

export function encodeBody(out: ByteWriter, { bytes, unlikely }: FunctionBody): void {
  out.sized(bytes);
  out.unsigned(unlikely.length);
  for (const offset of unlikely) out.unsigned(offset);
}

export function decodeBody(from: ByteReader): FunctionBody {
  return { bytes: from.sized(), unlikely: from.list(() => from.unsigned()) };
}
