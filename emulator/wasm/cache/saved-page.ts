/**
 * What is kept of the code in one page: the interpreter's blocks as they were written, with the names of their handlers,
 * and the functions of the regions that start there.
 */
import { ByteWriter } from "../emit/byte-writer.ts";
import type { FunctionBody } from "../emit/module-writer.ts";
import { RECORD_BYTES } from "../interpret/records.ts";
import { ByteReader } from "./byte-reader.ts";

/** A block of the interpreter. */
export interface SavedBlock {
  readonly address: number;
  /** Bytes of guest code. */
  readonly size: number;
  readonly instructions: number;
  /** A name for each record; the records' handler fields are not meant. */
  readonly handlers: readonly string[];
  readonly records: Uint8Array;
}

/** A region, with the code it was made from. */
export interface SavedRegion {
  readonly address: number;
  readonly pieces: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  readonly body: FunctionBody;
}

export interface SavedPage {
  readonly blocks: readonly SavedBlock[];
  readonly regions: readonly SavedRegion[];
}

const FORMAT = 1;

export function encodePage({ blocks, regions }: SavedPage): Uint8Array {
  const out = new ByteWriter();
  out.unsigned(FORMAT);
  const names = [...new Set(blocks.flatMap(({ handlers }) => handlers))];
  const numbers = new Map(names.map((name, i) => [name, i]));
  out.unsigned(names.length);
  for (const name of names) out.name(name);
  out.unsigned(blocks.length);
  for (const { address, size, instructions, handlers, records } of blocks) {
    out.signed(address);
    out.unsigned(size);
    out.unsigned(instructions);
    out.unsigned(handlers.length);
    for (const handler of handlers) out.unsigned(numbers.get(handler)!);
    out.append(records);
  }
  out.unsigned(regions.length);
  for (const { address, pieces, body } of regions) {
    out.signed(address);
    out.unsigned(pieces.length);
    for (const piece of pieces) {
      out.signed(piece.address);
      out.sized(piece.bytes);
    }
    encodeBody(out, body);
  }
  return out.bytes.slice();
}

/** Throws a RangeError when the bytes are not what `encodePage` writes. */
export function decodePage(bytes: Uint8Array): SavedPage {
  const from = new ByteReader(bytes);
  if (from.unsigned() !== FORMAT) throw new RangeError("a saved page of another format");
  const names = from.list(() => from.name());
  const blocks = from.list((): SavedBlock => {
    const address = from.signed();
    const [size, instructions] = [from.unsigned(), from.unsigned()];
    const handlers = from.list(() => names[from.unsigned()]!);
    return { address, size, instructions, handlers, records: from.take(handlers.length * RECORD_BYTES) };
  });
  const regions = from.list((): SavedRegion => {
    const address = from.signed();
    const pieces = from.list(() => ({ address: from.signed(), bytes: from.sized() }));
    return { address, pieces, body: decodeBody(from) };
  });
  return { blocks, regions };
}

export function encodeBody(out: ByteWriter, { bytes, unlikely }: FunctionBody): void {
  out.sized(bytes);
  out.unsigned(unlikely.length);
  for (const offset of unlikely) out.unsigned(offset);
}

export function decodeBody(from: ByteReader): FunctionBody {
  return { bytes: from.sized(), unlikely: from.list(() => from.unsigned()) };
}
