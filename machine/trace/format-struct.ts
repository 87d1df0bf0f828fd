import { clone_args, clone_struct } from "../../abi/clone.ts";
import { formatOctal } from "../../abi/flags.ts";
import type { AnyCodec, Field, IntegerCodec, Layout } from "../../abi/layout.ts";
import { rusage } from "../../abi/resource.ts";
import {
  SIG_DFL,
  SIG_IGN,
  SIGBUS,
  SIGCHLD,
  SIGFPE,
  SIGILL,
  SIGSEGV,
  SIGTRAP,
  SI_QUEUE,
  SI_TIMER,
  sigaction,
  sigactionFlags,
  siCodes,
  SIGINFO_SIZE,
  siginfo,
  siginfo_fault,
  siginfo_kill,
  siginfo_rt,
  siginfo_sigchld,
  siginfo_timer,
  signals,
} from "../../abi/signal.ts";
import { splitDevice, stat, statx } from "../../abi/stat.ts";
import { sysinfo } from "../../abi/sysinfo.ts";
import { termios, termios2 } from "../../abi/termios.ts";
import { timex } from "../../abi/time.ts";
import { utsname } from "../../abi/utsname.ts";
import { type GuestReader, readView } from "./guest-reader.ts";
import { formatAddress, formatHex, formatSigset, quoteStart } from "./text.ts";

/** What structs need to follow their pointers. */
export interface StructContext {
  readonly reader: GuestReader;
  readonly stringLimit: number;
}

/** Structs of which a trace shows some fields only; the rest becomes `...`. */
const abbreviations = new Map<Layout, readonly string[]>([
  [stat as Layout, ["st_mode", "st_size"]],
  [statx as Layout, ["stx_mask", "stx_attributes", "stx_mode", "stx_size"]],
  [rusage as Layout, ["ru_utime", "ru_stime"]],
  [utsname as Layout, ["sysname", "nodename"]],
  [termios as Layout, ["c_iflag", "c_oflag", "c_cflag", "c_lflag"]],
  [termios2 as Layout, ["c_iflag", "c_oflag", "c_cflag", "c_lflag"]],
  [sysinfo as Layout, ["uptime", "loads", "totalram", "freeram"]],
  [timex as Layout, ["modes", "offset", "freq"]],
]);

/** Fields that say nothing while they are 0. */
const silentZeros = new Set(["reserved1", "reserved2", "__reserved", "__unused"]);

const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

/** `{field=value, ...}` as strace prints the struct at `offset`. */
export function formatStruct(layout: Layout, view: DataView, offset: number, context: StructContext): string {
  if (layout === (sigaction as Layout)) return formatSigaction(view, offset);
  if (layout === (clone_args as Layout)) return formatCloneArgs(view, offset, context);
  if (layout === (stat as Layout)) {
    const { st_mode, st_rdev } = stat.decode(view, offset);
    const type = st_mode & S_IFMT;
    if (type === S_IFCHR || type === S_IFBLK) {
      return `{st_mode=${formatField(fieldOf(stat as Layout, "st_mode"), view, offset, context)}, st_rdev=${formatDevice(st_rdev)}, ...}`;
    }
  }
  const chosen = abbreviations.get(layout);
  const parts: string[] = [];
  for (const field of layout.fields) {
    if (field.codec.kind === "pad" || (chosen && !chosen.includes(field.name))) continue;
    const text = formatField(field, view, offset, context);
    if (text === "0" && silentZeros.has(field.name)) continue;
    parts.push(`${field.name}=${text}`);
  }
  if (chosen) parts.push("...");
  return `{${parts.join(", ")}}`;
}

function fieldOf(layout: Layout, name: string): Field {
  const field = layout.fields.find((candidate) => candidate.name === name);
  if (!field) throw new Error(`struct ${layout.name} has no ${name}`);
  return field;
}

function formatField(field: Field, view: DataView, offset: number, context: StructContext): string {
  return formatCodec(field.codec, view, offset + field.offset, context);
}

/** A value of any codec at `offset`. */
export function formatCodec(codec: AnyCodec, view: DataView, offset: number, context: StructContext): string {
  switch (codec.kind) {
    case "integer":
      return formatInteger(codec, codec.read(view, offset));
    case "array": {
      const items = Array.from({ length: codec.length }, (_, i) =>
        formatCodec(codec.element, view, offset + i * codec.element.size, context),
      );
      return `[${items.join(", ")}]`;
    }
    case "bytes":
      return quoteStart(codec.read(view, offset), context.stringLimit, true);
    case "cstring":
      return quoteStart(new TextEncoder().encode(codec.read(view, offset)), context.stringLimit, true);
    case "struct":
      return formatStruct(codec, view, offset, context);
    case "pad":
      return "";
  }
}

export function formatInteger(codec: IntegerCodec, value: number | bigint): string {
  switch (codec.display) {
    case "decimal":
    case "fd":
      return String(value);
    case "hex":
      return formatHex(value);
    case "octal":
      return formatOctal(value);
    case "address":
      return formatAddress(value);
    default:
      return codec.display.format(value);
  }
}

export function formatDevice(device: number | bigint): string {
  const [major, minor] = splitDevice(BigInt(device));
  return `makedev(${formatHex(major)}, ${formatHex(minor)})`;
}

function formatSigaction(view: DataView, offset: number): string {
  const { sa_handler, sa_flags, sa_restorer, sa_mask } = sigaction.decode(view, offset);
  const special = sa_handler === BigInt(SIG_DFL) ? "SIG_DFL" : sa_handler === BigInt(SIG_IGN) ? "SIG_IGN" : undefined;
  const parts = [
    `sa_handler=${special ?? formatAddress(sa_handler)}`,
    `sa_mask=${formatSigset(sa_mask)}`,
    `sa_flags=${sigactionFlags.format(sa_flags)}`,
  ];
  if (sa_restorer !== 0n) parts.push(`sa_restorer=${formatAddress(sa_restorer)}`);
  return `{${parts.join(", ")}}`;
}

/** Optional fields appear when they are used; set_tid is followed, innermost namespace first. */
function formatCloneArgs(view: DataView, offset: number, context: StructContext): string {
  const args = clone_args.decode(view, offset);
  const text = (name: keyof typeof args) =>
    `${name}=${formatField(fieldOf(clone_args as Layout, name), view, offset, context)}`;
  const parts = [text("flags")];
  for (const name of ["pidfd", "child_tid", "parent_tid"] as const) if (args[name] !== 0n) parts.push(text(name));
  parts.push(args.exit_signal === 0n ? "exit_signal=0" : text("exit_signal"), text("stack"), text("stack_size"));
  if (args.tls !== 0n) parts.push(text("tls"));
  if (args.set_tid !== 0n || args.set_tid_size !== 0n) {
    const list = formatIntegers(context, Number(args.set_tid), Number(args.set_tid_size));
    parts.push(`set_tid=${list}`, text("set_tid_size"));
  }
  if (args.cgroup !== 0n) parts.push(text("cgroup"));
  return `{${parts.join(", ")}}`;
}

/** `[31, 42]`: 32-bit integers in memory, at most as many as strings may have characters. */
export function formatIntegers(
  context: StructContext,
  address: number,
  count: number,
  note: (index: number) => string = () => "",
): string {
  const shown = Math.min(count, context.stringLimit);
  const view = readView(context.reader, address, shown * 4);
  if (view === undefined) return formatAddress(address);
  const items = Array.from({ length: shown }, (_, i) => `${view.getInt32(i * 4, true)}${note(i)}`);
  if (count > shown) items.push("...");
  return `[${items.join(", ")}]`;
}

/** clone2's chosen pids are right-aligned: the last one belongs to the caller's own namespace. */
export function formatPidList(
  context: StructContext,
  address: number,
  count: number,
  namespaceLevel: number | undefined,
): string {
  const first = namespaceLevel === undefined ? -1 : namespaceLevel + 1 - count;
  return formatIntegers(context, address, count, (i) => (first < 0 ? "" : ` /* level ${first + i} */`));
}

export function readPidCount(context: StructContext, structAddress: number): number | undefined {
  const view = readView(context.reader, structAddress, clone_struct.size);
  return view && view.getUint32(clone_struct.offsets.nr_pids, true);
}

/** siginfo_t with the fields that its signal and code fill. */
export function formatSiginfo(view: DataView): string {
  if (view.byteLength < SIGINFO_SIZE) return "{...}";
  const { si_signo, si_errno, si_code } = siginfo.decode(view);
  const codes = siCodes[si_signo as keyof typeof siCodes] as (typeof siCodes)["common"] | undefined;
  const code = siCodes.common.nameOf(si_code) ?? codes?.nameOf(si_code) ?? String(si_code);
  const parts = [`si_signo=${signals.format(si_signo)}`, `si_code=${code}`];
  if (si_errno !== 0) parts.push(`si_errno=${si_errno}`);
  const put = (layout: Layout, names: readonly string[]) => {
    for (const name of names) {
      parts.push(`${name}=${formatField(fieldOf(layout, name), view, 0, { reader: noMemory, stringLimit: 0 })}`);
    }
  };
  if (si_code === SI_TIMER) put(siginfo_timer as Layout, ["si_tid", "si_overrun", "si_value"]);
  else if (si_code === SI_QUEUE) put(siginfo_rt as Layout, ["si_pid", "si_uid", "si_value"]);
  else if (si_code <= 0) put(siginfo_kill as Layout, ["si_pid", "si_uid"]);
  else if (si_signo === SIGCHLD) {
    const { si_status } = siginfo_sigchld.decode(view);
    put(siginfo_sigchld as Layout, ["si_pid", "si_uid"]);
    parts.push(`si_status=${si_code === 1 ? String(si_status) : signals.format(si_status)}`);
    put(siginfo_sigchld as Layout, ["si_utime", "si_stime"]);
  } else if (faults.has(si_signo)) put(siginfo_fault as Layout, ["si_addr"]);
  return `{${parts.join(", ")}}`;
}

const faults = new Set([SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP]);
const noMemory: GuestReader = { read: () => undefined };
