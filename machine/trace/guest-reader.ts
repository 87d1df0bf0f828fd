/** A look into a task's memory that changes nothing and never fails: undefined where it cannot be read. */
export interface GuestReader {
  read(address: number, length: number): Uint8Array | undefined;
}

const PAGE = 4096;

/** A string without its NUL, at most `limit` bytes of it; `complete` says whether the NUL was seen. */
export function readString(
  reader: GuestReader,
  address: number,
  limit: number,
): { readonly bytes: Uint8Array; readonly complete: boolean } | undefined {
  const found: number[] = [];
  // Page by page: a string may end right before memory that is not there.
  while (found.length < limit) {
    const at = address + found.length;
    const chunk = reader.read(at, Math.min(limit - found.length, PAGE - (at % PAGE)));
    if (chunk === undefined) return undefined;
    const end = chunk.indexOf(0);
    found.push(...(end < 0 ? chunk : chunk.subarray(0, end)));
    if (end >= 0) return { bytes: Uint8Array.from(found), complete: true };
  }
  return { bytes: Uint8Array.from(found), complete: false };
}

export function readView(reader: GuestReader, address: number, length: number): DataView | undefined {
  const bytes = reader.read(address, length);
  return bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A pointer or size as a number; exact below 2^53. */
export function readWord(reader: GuestReader, address: number): number | undefined {
  const view = readView(reader, address, 8);
  return view && view.getUint32(4, true) * 0x1_0000_0000 + view.getUint32(0, true);
}

export function readInt(reader: GuestReader, address: number): number | undefined {
  return readView(reader, address, 4)?.getInt32(0, true);
}
