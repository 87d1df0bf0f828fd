/** Bytes in a store that tell when they were damaged, and cannot be read then. */
import type { TranslationStore } from "./translation-store.ts";

type Readable = Pick<TranslationStore, "get"> | undefined;

/** What a store has under a key; damaged bytes count as none, and so do those at which `decode` throws a RangeError. */
export function readSealed<T>(store: Readable, key: string, decode: (bytes: Uint8Array) => T): T | undefined {
  const bytes = store?.get(key);
  const content = bytes && unsealed(bytes);
  if (!content) return undefined;
  try {
    return decode(content);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export function putSealed(store: TranslationStore, key: string, bytes: Uint8Array): void {
  store.put(key, sealed(bytes));
}

/** Bytes with their checksum in front. */
function sealed(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 4);
  new DataView(out.buffer).setUint32(0, checksum(bytes), true);
  out.set(bytes, 4);
  return out;
}

function unsealed(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < 4) return undefined;
  const content = bytes.subarray(4);
  const expected = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return checksum(content) === expected ? content : undefined;
}

/** FNV-1a over words of 32 bits, then the bytes behind the last one. */
function checksum(bytes: Uint8Array): number {
  const whole = bytes.length >>> 2;
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, whole);
  let hash = 0x811c9dc5;
  for (let i = 0; i < whole; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
  for (let i = whole * 4; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}
