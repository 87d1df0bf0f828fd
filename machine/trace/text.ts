import { errnoByNumber, MAX_ERRNO } from "../../abi/errno.ts";
import { signals, SIGRTMAX } from "../../abi/signal.ts";

const escapes: Readonly<Record<number, string>> = {
  0x22: '\\"',
  0x5c: "\\\\",
  0x09: "\\t",
  0x0a: "\\n",
  0x0b: "\\v",
  0x0c: "\\f",
  0x0d: "\\r",
};

/** Bytes as a C string literal: octal for what does not print, as short as the next character allows. */
export function quote(bytes: Uint8Array): string {
  let text = "";
  bytes.forEach((byte, i) => {
    const escape = escapes[byte];
    if (escape !== undefined) text += escape;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else {
      const next = bytes[i + 1];
      const digitFollows = next !== undefined && next >= 0x30 && next <= 0x39;
      text += `\\${byte.toString(8).padStart(digitFollows ? 3 : 1, "0")}`;
    }
  });
  return `"${text}"`;
}

/** At most `limit` bytes of a buffer, with `...` after the quotes if there is more. */
export function quoteStart(bytes: Uint8Array, limit: number, isAll: boolean): string {
  const shown = bytes.subarray(0, limit);
  return quote(shown) + (isAll && shown.length === bytes.length ? "" : "...");
}

/** `NULL` or hexadecimal. */
export function formatAddress(address: number | bigint): string {
  return Number(address) === 0 ? "NULL" : `0x${address.toString(16)}`;
}

/** `0` or hexadecimal. */
export function formatHex(value: number | bigint): string {
  return Number(value) === 0 ? "0" : `0x${value.toString(16)}`;
}

/** `[CHLD INT]`; a set with more signals in it than not is shown as its complement, `~[KILL STOP]`. */
export function formatSigset(set: bigint): string {
  const members: string[] = [];
  const others: string[] = [];
  for (let signal = 1; signal <= SIGRTMAX; signal++) {
    const name = signals.format(signal).replace(/^SIG/, "");
    ((set >> BigInt(signal - 1)) & 1n ? members : others).push(name);
  }
  return members.length > (SIGRTMAX * 2) / 3 ? `~[${others.join(" ")}]` : `[${members.join(" ")}]`;
}

/** The errno of a failed call's result, 0 if the call succeeded. */
export function errnoOf(result: number | bigint): number {
  const value = Number(result);
  return value < 0 && value >= -MAX_ERRNO ? -value : 0;
}

/** What follows the `=` of a call that failed. */
export function formatErrno(number: number): string {
  const error = errnoByNumber.get(number);
  if (error === undefined) return `-1 (errno ${number})`;
  return number >= 512 && number !== 515 ? `? ${error.name} (${error.text})` : `-1 ${error.name} (${error.text})`;
}
