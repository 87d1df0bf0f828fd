/**
 * Linux names are bytes. Inside the machine they are strings with one character (0 to 255) for each byte, so that any
 * name can be carried, compared and joined; text becomes one by way of UTF-8.
 */

/** The UTF-8 bytes of a text as a byte string. */
export function byteString(text: string): string {
  if (isAscii(text)) return text;
  const bytes = new TextEncoder().encode(text);
  let result = "";
  for (let at = 0; at < bytes.length; at += 4096) result += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return result;
}

/** The text that a byte string spells in UTF-8, with replacement characters where it spells none. */
export function textOf(bytes: string): string {
  if (isAscii(bytes)) return bytes;
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

/** True if every character is below 128, where text and byte string are the same. */
export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false;
  return true;
}
