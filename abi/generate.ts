import type { EnumSet, FlagSet } from "./flags.ts";
import type { AnyCodec, Layout } from "./layout.ts";
import { clone3Flags, clone_args, clone_struct, cloneFlags, CSIGNAL } from "./clone.ts";
import { errnoByNumber } from "./errno.ts";
import * as fcntl from "./fcntl.ts";
import { futexOperations, FUTEX_BITSET_MATCH_ANY, FUTEX_CLOCK_REALTIME, FUTEX_PRIVATE_FLAG } from "./futex.ts";
import { madviseAdvice, MAP_ANON, mmapFlags, mremapFlags, msyncFlags, protFlags, PROT_NONE } from "./mman.ts";
import { archPrctlCodes, prctlOptions } from "./prctl.ts";
import {
  SIG_DFL,
  SIG_IGN,
  sigaction,
  sigactionFlags,
  sigprocmaskHow,
  SIGSET_SIZE,
  signals,
  stack_t,
} from "./signal.ts";
import { fileMode, stat } from "./stat.ts";
import { syscalls } from "./syscalls.ts";
import { clocks, timespec, timeval } from "./time.ts";
import { ucontext } from "./ucontext.ts";
import { iovec } from "./uio.ts";
import { utsname } from "./utsname.ts";
import { waitidTypes, waitidOptions } from "./wait.ts";

// Declarations for guest programs: a C header and an include for the GNU assembler.

const cTypes = {
  u8: "uint8_t",
  u16: "uint16_t",
  u32: "uint32_t",
  u64: "uint64_t",
  i8: "int8_t",
  i16: "int16_t",
  i32: "int32_t",
  i64: "int64_t",
} as const;

/** The C declaration of a layout, with a check of its size. */
export function toCHeader(layout: Layout): string {
  const lines = layout.fields.map((field) => `\t${cMember(field.codec, field.name)};`);
  const attributes = layout.packed ? " __attribute__((packed))" : naturalAlign(layout);
  return [
    `struct ${layout.name} {`,
    ...lines,
    `}${attributes};`,
    `_Static_assert(sizeof(struct ${layout.name}) == ${layout.size}, "struct ${layout.name}");`,
    "",
  ].join("\n");
}

function naturalAlign(layout: Layout): string {
  const natural = Math.max(1, ...layout.fields.map((field) => field.codec.align));
  return layout.align > natural ? ` __attribute__((aligned(${layout.align})))` : "";
}

function cMember(codec: AnyCodec, name: string): string {
  switch (codec.kind) {
    case "integer":
      return `${cTypes[codec.name]} ${name}`;
    case "array":
      return `${cMember(codec.element, name)}[${codec.length}]`;
    case "bytes":
    case "pad":
      return `uint8_t ${name}[${codec.size}]`;
    case "cstring":
      return `char ${name}[${codec.size}]`;
    case "struct":
      return `struct ${codec.name} ${name}`;
  }
}

/** `.set name_field, offset` for every field, nested ones included, and `name_size`; works in either syntax of as(1). */
export function toAsmInclude(layout: Layout, prefix = layout.name): string {
  return [...offsetsOf(layout, prefix, 0), `.set ${prefix}_size, ${layout.size}`, ""].join("\n");
}

function offsetsOf(layout: Layout, prefix: string, base: number): string[] {
  return layout.fields.flatMap((field) => {
    if (field.codec.kind === "pad") return [];
    const name = `${prefix}_${field.name}`;
    const line = `.set ${name}, ${base + field.offset}`;
    return field.codec.kind === "struct" ? [line, ...offsetsOf(field.codec, name, base + field.offset)] : [line];
  });
}

/** What C programs get: only what no header of the system has in a form they can rely on. */
const cLayouts: readonly Layout[] = [clone_struct, clone_args];
const asmLayouts: readonly Layout[] = [
  clone_struct,
  clone_args,
  timespec,
  timeval,
  iovec,
  sigaction,
  stack_t,
  stat,
  utsname,
  ucontext,
];

interface Group {
  readonly title: string;
  readonly constants: readonly (readonly [name: string, value: number])[];
}

function constantsOf(set: FlagSet | EnumSet): (readonly [string, number])[] {
  if (set.kind === "enumeration") return Object.entries<number>(set.values);
  return [...Object.entries<number>(set.flags), ...set.fields.flatMap((field) => Object.entries(field.values))];
}

function group(title: string, ...sets: readonly (FlagSet | EnumSet | Readonly<Record<string, number>>)[]): Group {
  const constants = new Map<string, number>();
  for (const set of sets) {
    const pairs = "format" in set ? constantsOf(set as FlagSet | EnumSet) : Object.entries(set);
    for (const [name, value] of pairs) constants.set(name, value as number);
  }
  return { title, constants: [...constants] };
}

const plainSignals = Object.fromEntries(Object.entries(signals.values).filter(([name]) => !name.startsWith("SIGRT")));

const groups: readonly Group[] = [
  group("clone(2), clone2(2), clone3(2)", { CSIGNAL }, cloneFlags.flags, clone3Flags),
  group("errno(3)", Object.fromEntries([...errnoByNumber.values()].map((error) => [error.name, error.number]))),
  group("signal(7)", plainSignals, { SIG_DFL, SIG_IGN, SIGSET_SIZE }, sigprocmaskHow, sigactionFlags),
  group("open(2), openat(2)", fcntl.openFlags, fcntl.statAtFlags, {
    AT_FDCWD: fcntl.AT_FDCWD,
    AT_REMOVEDIR: fcntl.AT_REMOVEDIR,
  }),
  group("lseek(2), fcntl(2)", fcntl.seekWhence, fcntl.fcntlCommands, fcntl.fdFlags),
  group("inode(7)", fileMode),
  group("mmap(2)", { PROT_NONE, MAP_ANON }, protFlags, mmapFlags, mremapFlags, msyncFlags, madviseAdvice),
  group("wait(2)", waitidOptions, waitidTypes, { WUNTRACED: 2 }),
  group("futex(2)", futexOperations, { FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME, FUTEX_BITSET_MATCH_ANY }),
  group("clock_gettime(2)", clocks),
  group("prctl(2), arch_prctl(2)", prctlOptions, archPrctlCodes),
];

/** Unsigned beyond int, 64 bits beyond 32, as C headers spell such masks. */
function cLiteral(value: number): string {
  if (value < 0) return `(${value})`;
  if (value > 0xffff_ffff) return `0x${value.toString(16)}ULL`;
  return value > 9 ? `0x${value.toString(16)}${value > 0x7fff_ffff ? "U" : ""}` : String(value);
}

/** guest-programs/lib/generated/trapgate-abi.h */
export function cHeader(): string {
  const parts = [
    "/* Generated by scripts/generate-abi.ts from abi/. Do not edit. */",
    "#ifndef TRAPGATE_ABI_H",
    "#define TRAPGATE_ABI_H",
    "",
    "/* Includes may come in any order: a system header may define the same macros in other words. */",
    "#pragma GCC system_header",
    "#include <stdint.h>",
    "",
    ...syscalls.flatMap(({ name, number }) => [
      define(`__NR_${name}`, String(number)),
      define(`SYS_${name}`, `__NR_${name}`),
    ]),
    "",
  ];
  for (const { title, constants } of groups) {
    parts.push(`/* ${title} */`);
    for (const [name, value] of constants) parts.push(define(name, cLiteral(value)));
    parts.push("");
  }
  parts.push(
    "/* <linux/sched.h> declares clone_args too; whoever includes it first defines TRAPGATE_NO_CLONE_ARGS. */",
  );
  for (const layout of cLayouts) {
    const guard = layout === clone_args;
    if (guard) parts.push("#ifndef TRAPGATE_NO_CLONE_ARGS");
    parts.push(toCHeader(layout).trimEnd());
    if (guard) parts.push("#endif");
    parts.push("");
  }
  parts.push("#endif", "");
  return parts.join("\n");
}

function define(name: string, value: string): string {
  return `#define ${name} ${value}`;
}

/** guest-programs/lib/generated/trapgate-abi.inc */
export function asmInclude(): string {
  const parts = ["# Generated by scripts/generate-abi.ts from abi/. Do not edit.", ""];
  for (const { name, number } of syscalls) parts.push(`.set __NR_${name}, ${number}`, `.set SYS_${name}, ${number}`);
  for (const { title, constants } of groups) {
    parts.push("", `# ${title}`);
    for (const [name, value] of constants) {
      parts.push(`.set ${name}, ${value < 0 ? String(value) : `0x${value.toString(16)}`}`);
    }
  }
  for (const layout of asmLayouts) {
    parts.push("", `# struct ${layout.name}`, toAsmInclude(layout).trimEnd());
  }
  return [...parts, ""].join("\n");
}
