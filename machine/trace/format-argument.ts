import { AT_FDCWD } from "../../abi/fcntl.ts";
import { formatOctal } from "../../abi/flags.ts";
import { ioctlCommands } from "../../abi/ioctl.ts";
import { pollEvents, pollfd } from "../../abi/poll.ts";
import { signals } from "../../abi/signal.ts";
import type {
  AnyPointerArg,
  Arg,
  ArrayArg,
  BufferArg,
  DirentsArg,
  IntegerPointerArg,
  ScalarKind,
  SizedStructArg,
  StructArg,
} from "../../abi/syscalls.ts";
import { isPointer } from "../../abi/syscalls.ts";
import { decodeWaitStatus } from "../../abi/wait.ts";
import { argumentIndex, argumentValue, type Context } from "./context.ts";
import { formatIovec, formatMsghdr, formatSockaddr } from "./format-network.ts";
import {
  formatCodec,
  formatDevice,
  formatInteger,
  formatPidList,
  formatSiginfo,
  formatStruct,
  readPidCount,
} from "./format-struct.ts";
import { readInt, readString, readView, readWord } from "./guest-reader.ts";
import { formatAddress, formatHex, formatSigset, quote, quoteStart } from "./text.ts";

/** The argument that a variant stands for in this call. */
export function resolve(context: Context, arg: Arg): Exclude<Arg, { kind: "variant" }> {
  if (arg.kind !== "variant") return arg;
  const selector = (argumentValue(context, arg.on) & arg.mask) >>> 0;
  return arg.cases.get(selector) ?? arg.cases.get(selector | 0) ?? arg.otherwise;
}

/** Whether a trace shows the argument at all: open's mode only with O_CREAT, fcntl's arg only if the command has one. */
export function isShown(context: Context, arg: Arg): boolean {
  const plain = resolve(context, arg);
  if (plain.kind === "unused") return false;
  return isPointer(plain) || applies(context, plain);
}

function applies(context: Context, arg: Arg): boolean {
  return arg.when === undefined || (argumentValue(context, arg.when.argument) & arg.when.bits) !== 0;
}

/** Whether the argument's text must wait for the call to end. */
export function isDeferred(context: Context, arg: Arg): boolean {
  const plain = resolve(context, arg);
  if (!isPointer(plain) || plain.direction === "in" || !applies(context, plain)) return false;
  return plain.direction === "out" || plain.kind === "msghdr";
}

/** One argument as text; what the call writes is read if the context has a result. */
export function formatArgument(context: Context, declared: Arg): string {
  const index = argumentIndex(context, declared.name);
  const value = context.args[index] ?? 0;
  const word = context.words?.[index] ?? value;
  const arg = resolve(context, declared);
  if (isPointer(arg)) return formatPointer(context, arg, value, word);
  switch (arg.kind) {
    case "flags":
      return arg.set.format(value >>> 0);
    case "longFlags":
      return arg.set.format(word);
    case "enumeration":
      return arg.set.format(value | 0);
    default:
      return formatScalar(arg.kind, value, word);
  }
}

function formatScalar(kind: ScalarKind, value: number, word: number | bigint): string {
  switch (kind) {
    case "fd":
    case "int":
    case "pid":
    case "tid":
      return String(value | 0);
    case "uint":
      return String(value >>> 0);
    case "long":
    case "offset":
      return String(typeof word === "bigint" ? BigInt.asIntN(64, word) : word);
    case "size":
      return String(word);
    case "ulong":
      return formatHex(word);
    case "address":
      return formatAddress(word);
    case "dirfd":
      return (value | 0) === AT_FDCWD ? "AT_FDCWD" : String(value | 0);
    case "mode":
      return formatOctal(value >>> 0);
    case "device":
      return formatDevice(value >>> 0);
    case "uid":
    case "gid":
      return value >>> 0 === 0xffff_ffff ? "-1" : String(value >>> 0);
    case "signal":
      return (value | 0) === 0 ? "0" : (signals.nameOf(value | 0) ?? String(value | 0));
    case "ioctl":
      return formatIoctl(value >>> 0);
    case "unused":
      return "";
  }
}

/** A command without a name is taken apart as the _IOC macro of <asm/ioctl.h> built it. */
function formatIoctl(command: number): string {
  const name = ioctlCommands.nameOf(command);
  if (name !== undefined) return name;
  const directions = ["_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"];
  const type = (command >>> 8) & 0xff;
  return `_IOC(${directions[command >>> 30]}, ${formatHex(type)}, ${formatHex(command & 0xff)}, ${formatHex((command >>> 16) & 0x3fff)})`;
}

function formatPointer(context: Context, arg: AnyPointerArg, address: number, word: number | bigint): string {
  if (address === 0) return "NULL";
  if (!applies(context, arg)) return formatAddress(word);
  return followPointer(context, arg, address) ?? formatAddress(word);
}

/** What the pointer points to; undefined where it cannot be read. */
function followPointer(context: Context, arg: AnyPointerArg, address: number): string | undefined {
  const { reader } = context;
  switch (arg.kind) {
    case "path":
    case "string": {
      const found = readString(reader, address, arg.extent.by === "nul" ? arg.extent.limit : 4096);
      return found && quote(found.bytes) + (found.complete ? "" : "...");
    }
    case "stringArray":
      return arg.name === "envp" ? formatEnvironment(context, address) : formatStrings(context, address);
    case "buffer":
      return formatBuffer(context, arg, address);
    case "dirents":
      return formatDirents(context, arg, address);
    case "struct":
      return formatStructArgument(context, arg, address);
    case "sizedStruct":
      return formatSizedStruct(context, arg, address);
    case "array":
      return formatArray(context, arg, address);
    case "integerPointer":
      return formatIntegerPointer(context, arg, address);
    case "fdPair": {
      const view = readView(reader, address, 8);
      return view && `[${view.getInt32(0, true)}, ${view.getInt32(4, true)}]`;
    }
    case "waitStatus": {
      if (context.result === 0) return undefined;
      const status = readInt(reader, address);
      return status === undefined ? undefined : `[${formatWaitStatus(status)}]`;
    }
    case "sigset": {
      const view = readView(reader, address, 8);
      return view && formatSigset(view.getBigUint64(0, true));
    }
    case "siginfo": {
      const view = readView(reader, address, 128);
      return view && formatSiginfo(view);
    }
    case "iovec": {
      const count = countOf(context, arg);
      const available = arg.direction === "in" ? Number.MAX_SAFE_INTEGER : context.result;
      return formatIovec(context, address, count, available);
    }
    case "sockaddr":
      return formatSockaddr(context, address, lengthOf(context, arg));
    case "msghdr":
      return formatMsghdr(context, address, arg.direction === "in" ? Number.MAX_SAFE_INTEGER : context.result);
    case "fdSet":
      return formatFdSet(context, address, countOf(context, arg));
    case "pidList": {
      const count = arg.extent.by === "field" ? readPidCount(context, argumentValue(context, arg.extent.argument)) : 0;
      return count ? formatPidList(context, address, count, context.namespaceLevel) : undefined;
    }
    case "futex":
    case "pointer":
      return undefined;
  }
}

/** The count argument of an extent, in its own units. */
function countOf(context: Context, arg: AnyPointerArg): number {
  const { extent } = arg;
  return extent.by === "argument" || extent.by === "bits" ? Math.max(0, argumentValue(context, extent.argument)) : 0;
}

/** The extent of a buffer in bytes, after a call that replaces it the new one. */
function lengthOf(context: Context, arg: AnyPointerArg): number {
  const { extent } = arg;
  if (extent.by === "lengthAt")
    return Math.max(0, readInt(context.reader, argumentValue(context, extent.argument)) ?? 0);
  return extent.by === "argument" ? Math.max(0, argumentValue(context, extent.argument)) * extent.unit : 0;
}

function formatBuffer(context: Context, arg: BufferArg, address: number): string | undefined {
  const room = lengthOf(context, arg);
  // An out buffer with a length word has that many bytes; any other as many as the call says.
  const isCounted = arg.direction === "out" && arg.extent.by === "argument";
  const length = isCounted ? Math.min(room, Math.max(0, context.result ?? 0)) : room;
  if (arg.name === "optval" && length === 4) {
    const value = readInt(context.reader, address);
    return value === undefined ? undefined : `[${value}]`;
  }
  const wanted = Math.min(length, context.stringLimit);
  const bytes = context.reader.read(address, wanted);
  if (bytes === undefined) return undefined;
  // Text with a NUL inside its length, as getcwd(2) gives it.
  if (context.row.name === "getcwd")
    return quoteStart(
      bytes.subarray(0, bytes.indexOf(0) < 0 ? undefined : bytes.indexOf(0)),
      context.stringLimit,
      wanted === length,
    );
  return quoteStart(bytes, context.stringLimit, wanted === length);
}

function formatDirents(context: Context, arg: DirentsArg, address: number): string | undefined {
  const length = Math.max(0, context.result ?? 0);
  const view = readView(context.reader, address, length);
  if (view === undefined) return undefined;
  let entries = 0;
  const reclen = arg.layout.offsets["d_reclen"] ?? 0;
  for (let at = 0; at + arg.layout.size <= length; entries++) {
    const step = view.getUint16(at + reclen, true);
    if (step < arg.layout.size) break;
    at += step;
  }
  return `${formatAddress(address)} /* ${entries} entries */`;
}

function formatStructArgument(context: Context, arg: StructArg, address: number): string | undefined {
  if (context.row.name === "wait4" && context.result === 0) return undefined;
  const view = readView(context.reader, address, arg.layout.size);
  return view && formatStruct(arg.layout, view, 0, context);
}

/** As much of the struct as the caller has; fields beyond that are 0, a longer tail is `...`. */
function formatSizedStruct(context: Context, arg: SizedStructArg, address: number): string | undefined {
  const { layout, extent } = arg;
  const given =
    extent.by === "argument" ? argumentValue(context, extent.argument) : (readInt(context.reader, address) ?? 0);
  if (given <= 0) return undefined;
  const bytes = context.reader.read(address, Math.min(given, layout.size));
  if (bytes === undefined) return undefined;
  const whole = new Uint8Array(layout.size);
  whole.set(bytes);
  const text = formatStruct(layout, new DataView(whole.buffer), 0, context);
  return given > layout.size ? `${text.slice(0, -1)}, ...}` : text;
}

function formatArray(context: Context, arg: ArrayArg, address: number): string | undefined {
  const { element, extent } = arg;
  const room = extent.by === "bytes" ? extent.bytes / element.size : countOf(context, arg);
  const count = arg.countedByResult ? Math.min(room, Math.max(0, context.result ?? 0)) : room;
  const shown = Math.min(count, context.stringLimit);
  const view = readView(context.reader, address, shown * element.size);
  if (view === undefined) return undefined;
  const items = Array.from({ length: shown }, (_, i) => {
    // What poll(2) reports is part of its result, not of its arguments.
    if (element.kind === "struct" && element.name === pollfd.name) return formatPollfd(view, i * element.size);
    return formatCodec(element, view, i * element.size, context);
  });
  if (count > shown) items.push("...");
  return `[${items.join(", ")}]`;
}

function formatPollfd(view: DataView, offset: number): string {
  const { fd, events } = pollfd.decode(view, offset);
  return fd < 0 ? `{fd=${fd}}` : `{fd=${fd}, events=${pollEvents.format(events & 0xffff)}}`;
}

function formatIntegerPointer(context: Context, arg: IntegerPointerArg, address: number): string | undefined {
  const view = readView(context.reader, address, arg.codec.size);
  if (view === undefined) return undefined;
  const value = arg.codec.read(view, 0);
  return `[${arg.codec.size === 8 && !arg.codec.signed ? formatHex(value) : formatInteger(arg.codec, value)}]`;
}

function formatFdSet(context: Context, address: number, count: number): string | undefined {
  const members = readFdSet(context, address, count);
  return members && `[${members.join(" ")}]`;
}

/** The descriptors in a select(2) set. */
export function readFdSet(context: Context, address: number, count: number): number[] | undefined {
  const limit = Math.min(count, 1024);
  const bytes = context.reader.read(address, Math.ceil(limit / 64) * 8);
  if (bytes === undefined) return undefined;
  return Array.from({ length: limit }, (_, fd) => fd).filter((fd) => ((bytes[fd >> 3] ?? 0) >> (fd & 7)) & 1);
}

function formatStrings(context: Context, address: number): string | undefined {
  const items: string[] = [];
  for (let i = 0; ; i++) {
    const pointer = readWord(context.reader, address + 8 * i);
    if (pointer === undefined)
      return i === 0 ? undefined : `[${items.join(", ")}, ... /* ${formatAddress(address + 8 * i)} */]`;
    if (pointer === 0) break;
    if (i >= context.stringLimit) {
      items.push("...");
      break;
    }
    const found = readString(context.reader, pointer, context.stringLimit + 1);
    items.push(found ? quoteStart(found.bytes, context.stringLimit, found.complete) : formatAddress(pointer));
  }
  return `[${items.join(", ")}]`;
}

function formatEnvironment(context: Context, address: number): string | undefined {
  for (let count = 0; count < 100_000; count++) {
    const pointer = readWord(context.reader, address + 8 * count);
    if (pointer === undefined) return undefined;
    if (pointer === 0) return `${formatAddress(address)} /* ${count} var${count === 1 ? "" : "s"} */`;
  }
  return undefined;
}

/** `{WIFEXITED(s) && WEXITSTATUS(s) == 0}` */
export function formatWaitStatus(status: number): string {
  const decoded = decodeWaitStatus(status);
  switch (decoded.kind) {
    case "exited":
      return `{WIFEXITED(s) && WEXITSTATUS(s) == ${decoded.code}}`;
    case "signaled": {
      const core = decoded.coreDumped ? " && WCOREDUMP(s)" : "";
      return `{WIFSIGNALED(s) && WTERMSIG(s) == ${signals.format(decoded.signal)}${core}}`;
    }
    case "stopped": {
      const trap = decoded.signal & 0x80 ? " | 0x80" : "";
      const event = decoded.ptraceEvent === 0 ? "" : ` && ${formatHex(decoded.ptraceEvent)} << 16`;
      return `{WIFSTOPPED(s) && WSTOPSIG(s) == ${signals.format(decoded.signal & 0x7f)}${trap}}${event}`;
    }
    case "continued":
      return "{WIFCONTINUED(s)}";
  }
}
