/** What a new program finds on its stack: argc, argv, envp, the auxiliary vector and their strings (psABI 3.4.1). */
import { E2BIG } from "../../abi/errno.ts";
import * as abi from "../../abi/auxv.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { STACK_TOP } from "../mm/layout.ts";
import { copyToUser } from "../mm/user-copy.ts";
import { toBytes } from "../vfs/byte-string.ts";

export interface StackContents {
  /** Without their NULs. */
  argv: readonly Uint8Array[];
  envp: readonly Uint8Array[];
  /** The path given to execve, AT_EXECFN. */
  fileName: string;
  /** Auxiliary vector entries but for the ones that point at the stack. */
  auxv: readonly (readonly [type: number, value: number])[];
  /** AT_RANDOM: 16 bytes. */
  random: Uint8Array;
}

/** MAX_ARG_STRLEN of Linux: bytes of one string with its NUL. */
export const MAX_ARG_STRLEN = 131072;
const PLATFORM = "x86_64";

/** Writes everything below the top of the stack; the stack pointer to start with. @throws E2BIG EFAULT ENOMEM */
export function buildInitialStack(space: AddressSpace, contents: StackContents): number {
  let strings = 0;
  const all = [...contents.argv, ...contents.envp];
  for (const text of all) {
    if (text.length >= MAX_ARG_STRLEN) throw E2BIG;
    strings += text.length + 1 + 8;
  }
  if (strings > Math.min(space.limits.stack / 4, 6 << 20)) throw E2BIG;

  let at = STACK_TOP - 8;
  const push = (text: string): number => {
    at -= text.length + 1;
    copyToUser(space, at, toBytes(`${text}\0`));
    return at;
  };
  const fileName = push(contents.fileName);
  const envEnd = fileName;
  // Strings stand in ascending order, so the area is filled in one piece from its start.
  at -= all.reduce((sum, text) => sum + text.length + 1, 0);
  const argStart = at;
  const block = new Uint8Array(envEnd - at);
  const addresses: number[] = [];
  let offset = 0;
  for (const text of all) {
    addresses.push(argStart + offset);
    block.set(text, offset);
    offset += text.length + 1;
  }
  copyToUser(space, argStart, block);
  const { argv, envp } = contents;
  const envStart = addresses[argv.length] ?? envEnd;

  const platform = push(PLATFORM);
  at -= at % 16;
  at -= 16;
  const random = at;
  copyToUser(space, random, contents.random);
  const auxv = [
    ...contents.auxv,
    [abi.AT_RANDOM, random],
    [abi.AT_EXECFN, fileName],
    [abi.AT_PLATFORM, platform],
    [abi.AT_NULL, 0],
  ] as const;

  const words = 1 + argv.length + 1 + envp.length + 1 + auxv.length * 2;
  const start = at - words * 8 - ((at - words * 8) % 16);
  const vector = new Uint8Array(words * 8);
  const view = new DataView(vector.buffer);
  let slot = 0;
  const word = (value: number): void => {
    view.setUint32(slot * 8, value >>> 0, true);
    view.setUint32(slot * 8 + 4, Math.floor(value / 4294967296), true);
    slot++;
  };
  word(argv.length);
  for (let index = 0; index < argv.length; index++) word(addresses[index]!);
  word(0);
  for (let index = 0; index < envp.length; index++) word(addresses[argv.length + index]!);
  word(0);
  const auxvAt = slot * 8;
  for (const [type, value] of auxv) {
    word(type);
    word(value);
  }
  copyToUser(space, start, vector);

  space.auxv = vector.slice(auxvAt);
  Object.assign(space.marks, { startStack: start, argStart, argEnd: envStart, envStart, envEnd });
  return start;
}
