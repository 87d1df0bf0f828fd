import { fdFlags, F_GETFD, F_GETFL, openFlags } from "../../abi/fcntl.ts";
import { pollEvents, pollfd } from "../../abi/poll.ts";
import { type Arg, isPointer, type Syscall } from "../../abi/syscalls.ts";
import { argumentValue, type Context, type FormatOptions } from "./context.ts";
import { formatArgument, isDeferred, isShown, readFdSet, resolve } from "./format-argument.ts";
import { type GuestReader, readView } from "./guest-reader.ts";
import { errnoOf, formatAddress, formatErrno, formatHex } from "./text.ts";

export type { FormatOptions } from "./context.ts";
export type { GuestReader } from "./guest-reader.ts";

export const DEFAULT_STRING_LIMIT = 32;

/**
 * A call as far as it can be told when it begins. Arguments that the call will fill have no text yet. Plain data: a
 * call may be printed long after it began, in pieces.
 */
export interface EntryText {
  readonly row: Syscall;
  readonly args: readonly number[];
  readonly words: BigUint64Array | undefined;
  readonly texts: readonly { readonly arg: Arg; readonly text: string | undefined }[];
  readonly options: FormatOptions;
}

/** What became of a call: the value in RAX as a signed number. Undefined: it did not return. */
export type CallResult = number | bigint | undefined;

/** Decodes what the call reads, before it can change it. `words` are the six argument registers, if at hand. */
export function formatEntry(
  row: Syscall,
  args: ArrayLike<number>,
  reader: GuestReader,
  options: FormatOptions = {},
  words?: BigUint64Array,
): EntryText {
  const context = makeContext(row, args, words, reader, options, undefined);
  const shown = row.args.filter((arg) => isShown(context, arg));
  const texts = shown.map((arg) => ({
    arg,
    text: isDeferred(context, arg) ? undefined : formatArgument(context, arg),
  }));
  return { row, args: Array.from(args), words: words?.slice(), texts, options };
}

/** The whole line: `read(3, "abc", 32) = 3`. */
export function formatExit(entry: EntryText, reader: GuestReader, result: CallResult): string {
  return withResult(`${entry.row.name}(`, entry, 0, reader, result);
}

/** Entry and exit at once, for a call that is over and whose arguments are still as they were. */
export function formatCall(
  row: Syscall,
  args: ArrayLike<number>,
  reader: GuestReader,
  result: CallResult,
  options: FormatOptions = {},
  words?: BigUint64Array,
): string {
  return formatExit(formatEntry(row, args, reader, options, words), reader, result);
}

/** `read(3,  <unfinished ...>`: another task is about to print while this call goes on. */
export function formatUnfinished(entry: EntryText): string {
  const known = entry.texts.slice(0, knownTexts(entry)).map(({ text }) => text);
  const separator = known.length > 0 && known.length < entry.texts.length ? ", " : "";
  return `${entry.row.name}(${known.join(", ")}${separator} <unfinished ...>`;
}

/** `<... read resumed>"abc", 32) = 3`: the rest of a call whose beginning `formatUnfinished` printed. */
export function formatResumed(entry: EntryText, reader: GuestReader, result: CallResult): string {
  return withResult(`<... ${entry.row.name} resumed>`, entry, knownTexts(entry), reader, result);
}

/** How many arguments from the left are known at entry. */
function knownTexts(entry: EntryText): number {
  const first = entry.texts.findIndex(({ text }) => text === undefined);
  return first < 0 ? entry.texts.length : first;
}

function withResult(start: string, entry: EntryText, skip: number, reader: GuestReader, result: CallResult): string {
  const failed = result === undefined || errnoOf(result) !== 0;
  const value = failed ? undefined : Number(result);
  const context = makeContext(entry.row, entry.args, entry.words, reader, entry.options, value);
  const texts = entry.texts.slice(skip).map(({ arg, text }) => {
    if (text === undefined) return failed ? formatUntouched(context, arg) : formatArgument(context, arg);
    return failed ? text : formatChange(context, arg, text);
  });
  const call = `${start}${texts.join(", ")})`;
  const padded = call.padEnd(Math.max(0, (entry.options.column ?? 0) - 1));
  return `${padded} = ${formatResult(context, result)}`;
}

/** An argument of a call that failed: nothing was written, so only the address is news. */
function formatUntouched(context: Context, arg: Arg): string {
  const index = context.row.args.indexOf(arg);
  const address = context.words?.[index] ?? context.args[index] ?? 0;
  return formatAddress(address);
}

/** `[128 => 16]`: a value that the call read and replaced by a different one. */
function formatChange(context: Context, declared: Arg, before: string): string {
  const arg = resolve(context, declared);
  if (!isPointer(arg) || arg.direction !== "inout") return before;
  if (arg.kind !== "integerPointer" && arg.kind !== "struct") return before;
  const after = formatArgument(context, declared);
  if (after === before) return before;
  return arg.kind === "struct" ? `${before} => ${after}` : `${before.slice(0, -1)} => ${after.slice(1)}`;
}

function formatResult(context: Context, result: CallResult): string {
  if (result === undefined || context.row.result === "never") return "?";
  const errno = errnoOf(result);
  if (errno !== 0) return formatErrno(errno);
  const number = Number(result);
  switch (context.row.result) {
    case "address":
      return formatHex(result);
    case "int":
      return formatNumber(context, number) + formatReport(context, number);
    default:
      return String(result);
  }
}

function formatNumber(context: Context, result: number): string {
  if (context.row.name === "umask") return `0${result.toString(8)}`;
  if (context.row.name !== "fcntl") return String(result);
  switch (argumentValue(context, "cmd")) {
    case F_GETFL:
      return `${formatHex(result)} (flags ${openFlags.format(result)})`;
    case F_GETFD:
      return result === 0 ? "0" : `${formatHex(result)} (flags ${fdFlags.format(result)})`;
    default:
      return String(result);
  }
}

/** What poll(2) and select(2) found, behind the number of it. */
function formatReport(context: Context, result: number): string {
  switch (context.row.name) {
    case "poll":
    case "ppoll":
      return result === 0 ? " (Timeout)" : formatReady(context);
    case "select":
    case "pselect6":
      return result === 0 ? " (Timeout)" : formatSelected(context);
    default:
      return "";
  }
}

function formatReady(context: Context): string {
  const count = Math.min(argumentValue(context, "nfds"), 4096);
  const view = readView(context.reader, argumentValue(context, "fds"), count * pollfd.size);
  if (view === undefined) return "";
  const ready = Array.from({ length: count }, (_, i) => pollfd.decode(view, i * pollfd.size)).filter(
    (entry) => entry.revents !== 0,
  );
  const items = ready
    .slice(0, context.stringLimit)
    .map(({ fd, revents }) => `{fd=${fd}, revents=${pollEvents.format(revents & 0xffff)}}`);
  return ` (${`[${items.join(", ")}]`})`;
}

function formatSelected(context: Context): string {
  const count = argumentValue(context, "nfds");
  const sets = [
    ["in", "readfds"],
    ["out", "writefds"],
    ["except", "exceptfds"],
  ] as const;
  const parts = sets.flatMap(([label, name]) => {
    const address = argumentValue(context, name);
    const members = address === 0 ? undefined : readFdSet(context, address, count);
    return members && members.length > 0 ? [`${label} [${members.join(" ")}]`] : [];
  });
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
}

function makeContext(
  row: Syscall,
  args: ArrayLike<number>,
  words: BigUint64Array | undefined,
  reader: GuestReader,
  options: FormatOptions,
  result: number | undefined,
): Context {
  return {
    row,
    args,
    words,
    reader,
    stringLimit: options.stringLimit ?? DEFAULT_STRING_LIMIT,
    namespaceLevel: options.namespaceLevel,
    result,
  };
}
