import type { EnumSet, FlagSet } from "../flags.ts";
import type { IntegerCodec, Layout } from "../layout.ts";

/** Which way bytes travel through a pointer: the kernel reads them, writes them, or both. */
export type Direction = "in" | "out" | "inout";

/** How many bytes a pointer argument stands for. `argument` is the name of another argument of the same call. */
export type Extent =
  /** Up to and including a NUL, at most `limit` bytes. */
  | { readonly by: "nul"; readonly limit: number }
  | { readonly by: "bytes"; readonly bytes: number }
  /** The value of another argument times `unit`. */
  | { readonly by: "argument"; readonly argument: string; readonly unit: number }
  /** As many bits as another argument says, in whole longs: select(2). */
  | { readonly by: "bits"; readonly argument: string }
  /** Another argument points to a 32-bit length that the call replaces by the true one. */
  | { readonly by: "lengthAt"; readonly argument: string }
  /** A field of the struct that another argument points to, times `unit`. */
  | { readonly by: "field"; readonly argument: string; readonly field: string; readonly unit: number }
  /** Pointers to strings, ended by NULL. */
  | { readonly by: "vector" };

/** The argument means something only if another one has any of these bits: open's mode, clone's parent_tid. */
export interface When {
  readonly argument: string;
  readonly bits: number;
}

/** Numbers that need nothing else to be understood. */
export type ScalarKind =
  | "fd"
  | "dirfd"
  | "int"
  | "uint"
  | "long"
  | "ulong"
  | "size"
  | "offset"
  | "address"
  | "mode"
  | "device"
  | "pid"
  | "tid"
  | "uid"
  | "gid"
  | "signal"
  | "ioctl"
  | "unused";

interface Argument<Name extends string, Kind extends string> {
  readonly name: Name;
  readonly kind: Kind;
  readonly when?: When;
}

interface PointerArgument<Name extends string, Kind extends string> extends Argument<Name, Kind> {
  readonly direction: Direction;
  readonly extent: Extent;
  /** NULL is a legal value: the call then does without. */
  readonly optional?: true;
}

export type ScalarArg<Name extends string = string, Kind extends ScalarKind = ScalarKind> = Argument<Name, Kind>;

/** A flag word; `longFlags` has 64 bits. */
export interface FlagsArg<Name extends string = string> extends Argument<Name, "flags" | "longFlags"> {
  readonly set: FlagSet;
}
export interface EnumerationArg<Name extends string = string> extends Argument<Name, "enumeration"> {
  readonly set: EnumSet;
}

/** A file name; empty ones and those of PATH_MAX bytes or more are errors of their own. */
export type PathArg<Name extends string = string> = PointerArgument<Name, "path">;
/** Any other text that ends with NUL. */
export type StringArg<Name extends string = string> = PointerArgument<Name, "string">;
/** argv or envp. */
export type StringArrayArg<Name extends string = string> = PointerArgument<Name, "stringArray">;
/** Bytes. An out buffer holds as many as the call's result says, or as its length word says. */
export type BufferArg<Name extends string = string> = PointerArgument<Name, "buffer">;
/** Records of getdents(2), each as long as its d_reclen. */
export interface DirentsArg<Name extends string = string> extends PointerArgument<Name, "dirents"> {
  readonly layout: Layout;
}
export interface StructArg<Name extends string = string> extends PointerArgument<Name, "struct"> {
  readonly layout: Layout;
}
/** A struct that grows over time: the caller says in another argument (or its first field) how much it has. */
export interface SizedStructArg<Name extends string = string> extends PointerArgument<Name, "sizedStruct"> {
  readonly layout: Layout;
}
export interface ArrayArg<Name extends string = string> extends PointerArgument<Name, "array"> {
  readonly element: Layout | IntegerCodec;
  /** The call's result, not its count argument, says how many elements it wrote. */
  readonly countedByResult?: true;
}
/** `int *`, `pid_t *`, `loff_t *`. */
export interface IntegerPointerArg<Name extends string = string> extends PointerArgument<Name, "integerPointer"> {
  readonly codec: IntegerCodec;
}
/** Two file descriptors: pipe(2), socketpair(2). */
export type FdPairArg<Name extends string = string> = PointerArgument<Name, "fdPair">;
export type WaitStatusArg<Name extends string = string> = PointerArgument<Name, "waitStatus">;
/** Eight bytes of signals; another argument must say that it is eight. */
export type SigsetArg<Name extends string = string> = PointerArgument<Name, "sigset">;
export type SiginfoArg<Name extends string = string> = PointerArgument<Name, "siginfo">;
/** An array of struct iovec. The direction is that of the buffers; the array itself is always read. */
export type IovecArg<Name extends string = string> = PointerArgument<Name, "iovec">;
export type SockaddrArg<Name extends string = string> = PointerArgument<Name, "sockaddr">;
/** struct msghdr with everything it points to. */
export type MsghdrArg<Name extends string = string> = PointerArgument<Name, "msghdr">;
export type FdSetArg<Name extends string = string> = PointerArgument<Name, "fdSet">;
/** A 32-bit futex word. */
export type FutexArg<Name extends string = string> = PointerArgument<Name, "futex">;
/** clone2's chosen pids: the innermost namespace last. */
export type PidListArg<Name extends string = string> = PointerArgument<Name, "pidList">;
/** Memory whose contents are nobody's business here. */
export type PointerArg<Name extends string = string> = PointerArgument<Name, "pointer">;

/** An argument whose meaning another one selects: ioctl(2), fcntl(2), prctl(2), futex(2). */
export interface VariantArg<Name extends string = string> extends Argument<Name, "variant"> {
  readonly on: string;
  /** Applied to the selecting argument before looking it up. */
  readonly mask: number;
  readonly cases: ReadonlyMap<number, PlainArg>;
  readonly otherwise: PlainArg;
}

type PlainArg = ScalarArg | FlagsArg | EnumerationArg | AnyPointerArg;

/** Arguments that are pointers the kernel follows. */
export type AnyPointerArg =
  | PathArg
  | StringArg
  | StringArrayArg
  | BufferArg
  | DirentsArg
  | StructArg
  | SizedStructArg
  | ArrayArg
  | IntegerPointerArg
  | FdPairArg
  | WaitStatusArg
  | SigsetArg
  | SiginfoArg
  | IovecArg
  | SockaddrArg
  | MsghdrArg
  | FdSetArg
  | FutexArg
  | PidListArg
  | PointerArg;

export type Arg = PlainArg | VariantArg;
export type ArgKind = Arg["kind"];

/** What a successful call gives back. `never`: it does not return; `zero`: 0 and nothing else. */
export type ResultKind = "fd" | "int" | "long" | "address" | "size" | "pid" | "zero" | "never";

/** How the 64 bits of a register become the number a handler sees: the kernel ignores upper halves as Linux does. */
export type DecodeClass = "i32" | "u32" | "u64" | "i64";

const scalarClasses: Readonly<Record<ScalarKind, DecodeClass>> = {
  fd: "i32",
  dirfd: "i32",
  int: "i32",
  uint: "u32",
  long: "i64",
  ulong: "u64",
  size: "u64",
  offset: "i64",
  address: "u64",
  mode: "u32",
  device: "u32",
  pid: "i32",
  tid: "i32",
  uid: "u32",
  gid: "u32",
  signal: "i32",
  ioctl: "u32",
  unused: "u64",
};

export function isPointer(arg: Arg): arg is AnyPointerArg {
  return "direction" in arg;
}

/** For an argument or its kind alone. */
export function decodeClass(of: Arg | ArgKind): DecodeClass {
  const kind = typeof of === "string" ? of : of.kind;
  switch (kind) {
    case "flags":
      return "u32";
    case "enumeration":
      return "i32";
    default:
      return kind in scalarClasses ? scalarClasses[kind as ScalarKind] : "u64";
  }
}

function scalar<Kind extends ScalarKind>(kind: Kind) {
  return <const Name extends string>(name: Name): ScalarArg<Name, Kind> => ({ name, kind });
}

export const fd = scalar("fd");
export const dirfd = scalar("dirfd");
export const int = scalar("int");
export const uint = scalar("uint");
export const long = scalar("long");
export const ulong = scalar("ulong");
export const size = scalar("size");
export const offset = scalar("offset");
/** A user address that this call does not follow: where to map, where the child's stack is. */
export const address = scalar("address");
export const mode = scalar("mode");
export const device = scalar("device");
export const pid = scalar("pid");
export const tid = scalar("tid");
export const uid = scalar("uid");
export const gid = scalar("gid");
export const signal = scalar("signal");
export const ioctl = scalar("ioctl");
export const unused = scalar("unused");

/** A flag word of 32 bits: `unsigned int`, or a long of which the kernel looks at the low half. */
export const flags = <const Name extends string>(name: Name, set: FlagSet): FlagsArg<Name> => ({
  name,
  kind: "flags",
  set,
});
export const longFlags = <const Name extends string>(name: Name, set: FlagSet): FlagsArg<Name> => ({
  name,
  kind: "longFlags",
  set,
});
export const enumeration = <const Name extends string>(name: Name, set: EnumSet): EnumerationArg<Name> => ({
  name,
  kind: "enumeration",
  set,
});

/** NULL is legal. */
export const optional = <A extends AnyPointerArg>(arg: A): A => ({ ...arg, optional: true });
/** Looked at only if `argument` has one of `bits`. */
export const when = <A extends Arg>(argument: string, bits: number, arg: A): A => ({
  ...arg,
  when: { argument, bits },
});

const pathExtent: Extent = { by: "nul", limit: 4096 };
const counted = (argument: string, unit: number): Extent => ({ by: "argument", argument, unit });
const fixed = (bytes: number): Extent => ({ by: "bytes", bytes });

export const path = <const Name extends string>(name: Name): PathArg<Name> => ({
  name,
  kind: "path",
  direction: "in",
  extent: pathExtent,
});
export const string = <const Name extends string>(name: Name, limit = 4096): StringArg<Name> => ({
  name,
  kind: "string",
  direction: "in",
  extent: { by: "nul", limit },
});
export const stringArray = <const Name extends string>(name: Name): StringArrayArg<Name> => ({
  name,
  kind: "stringArray",
  direction: "in",
  extent: { by: "vector" },
});

function buffer(direction: Direction) {
  return <const Name extends string>(name: Name, sizeArgument: string): BufferArg<Name> => ({
    name,
    kind: "buffer",
    direction,
    extent: counted(sizeArgument, 1),
  });
}
export const bufferIn = buffer("in");
/** `sizeArgument` is the room; the call's result is how much was written. */
export const bufferOut = buffer("out");
/** A buffer whose length is a 32-bit word the call reads and replaces. */
export const bufferOutAt = <const Name extends string>(name: Name, lengthArgument: string): BufferArg<Name> => ({
  name,
  kind: "buffer",
  direction: "out",
  extent: { by: "lengthAt", argument: lengthArgument },
});
export const dirents = <const Name extends string>(
  name: Name,
  layout: Layout,
  sizeArgument: string,
): DirentsArg<Name> => ({ name, kind: "dirents", direction: "out", extent: counted(sizeArgument, 1), layout });

function structOf(direction: Direction) {
  return <const Name extends string>(name: Name, layout: Layout): StructArg<Name> => ({
    name,
    kind: "struct",
    direction,
    extent: fixed(layout.size),
    layout,
  });
}
export const structIn = structOf("in");
export const structOut = structOf("out");
export const structInOut = structOf("inout");

function sizedStructOf(direction: Direction) {
  return <const Name extends string>(name: Name, layout: Layout, sizeArgument: string): SizedStructArg<Name> => ({
    name,
    kind: "sizedStruct",
    direction,
    extent: counted(sizeArgument, 1),
    layout,
  });
}
export const sizedStructIn = sizedStructOf("in");
export const sizedStructOut = sizedStructOf("out");
/** The struct's own first field is its size: sched_setattr(2). */
export const selfSizedStructIn = <const Name extends string>(name: Name, layout: Layout): SizedStructArg<Name> => ({
  name,
  kind: "sizedStruct",
  direction: "in",
  extent: { by: "field", argument: name, field: "size", unit: 1 },
  layout,
});

function arrayOf(direction: Direction) {
  return <const Name extends string>(
    name: Name,
    element: Layout | IntegerCodec,
    countArgument: string,
  ): ArrayArg<Name> => ({ name, kind: "array", direction, extent: counted(countArgument, element.size), element });
}
export const arrayIn = arrayOf("in");
export const arrayInOut = arrayOf("inout");
/** Room for `countArgument` elements; the call's result is how many were written. */
export const arrayOut = <const Name extends string>(
  name: Name,
  element: Layout | IntegerCodec,
  countArgument: string,
): ArrayArg<Name> => ({ ...arrayOf("out")(name, element, countArgument), countedByResult: true });
/** A fixed number of elements: the two times of utimensat(2). */
export const fixedArrayIn = <const Name extends string>(
  name: Name,
  element: Layout | IntegerCodec,
  count: number,
): ArrayArg<Name> => ({ name, kind: "array", direction: "in", extent: fixed(count * element.size), element });
export const fixedArrayOut = <const Name extends string>(
  name: Name,
  element: Layout | IntegerCodec,
  count: number,
): ArrayArg<Name> => ({ name, kind: "array", direction: "out", extent: fixed(count * element.size), element });

function integerPointer(direction: Direction) {
  return <const Name extends string>(name: Name, codec: IntegerCodec): IntegerPointerArg<Name> => ({
    name,
    kind: "integerPointer",
    direction,
    extent: fixed(codec.size),
    codec,
  });
}
export const integerIn = integerPointer("in");
export const integerOut = integerPointer("out");
export const integerInOut = integerPointer("inout");

function plainPointer<Kind extends AnyPointerArg["kind"]>(kind: Kind, direction: Direction, extent: Extent) {
  return <const Name extends string>(name: Name): PointerArgument<Name, Kind> => ({ name, kind, direction, extent });
}
export const fdPair = plainPointer("fdPair", "out", fixed(8));
export const waitStatus = plainPointer("waitStatus", "out", fixed(4));
export const siginfoIn = plainPointer("siginfo", "in", fixed(128));
export const siginfoOut = plainPointer("siginfo", "out", fixed(128));
export const futex = plainPointer("futex", "inout", fixed(4));
export const msghdrIn = plainPointer("msghdr", "in", fixed(56));
export const msghdrOut = plainPointer("msghdr", "inout", fixed(56));

function sigset(direction: Direction) {
  return <const Name extends string>(name: Name, sizeArgument: string): SigsetArg<Name> => ({
    name,
    kind: "sigset",
    direction,
    extent: counted(sizeArgument, 1),
  });
}
export const sigsetIn = sigset("in");
export const sigsetOut = sigset("out");

function iovec(direction: Direction) {
  return <const Name extends string>(name: Name, countArgument: string): IovecArg<Name> => ({
    name,
    kind: "iovec",
    direction,
    extent: counted(countArgument, 16),
  });
}
/** The call reads what the vectors describe: writev(2). */
export const iovecIn = iovec("in");
/** The call fills what the vectors describe: readv(2). */
export const iovecOut = iovec("out");

export const sockaddrIn = <const Name extends string>(name: Name, lengthArgument: string): SockaddrArg<Name> => ({
  name,
  kind: "sockaddr",
  direction: "in",
  extent: counted(lengthArgument, 1),
});
export const sockaddrOut = <const Name extends string>(name: Name, lengthArgument: string): SockaddrArg<Name> => ({
  name,
  kind: "sockaddr",
  direction: "out",
  extent: { by: "lengthAt", argument: lengthArgument },
});
export const fdSet = <const Name extends string>(name: Name, countArgument: string): FdSetArg<Name> => ({
  name,
  kind: "fdSet",
  direction: "inout",
  extent: { by: "bits", argument: countArgument },
  optional: true,
});
export const pidList = <const Name extends string>(
  name: Name,
  structArgument: string,
  field: string,
): PidListArg<Name> => ({
  name,
  kind: "pidList",
  direction: "in",
  extent: { by: "field", argument: structArgument, field, unit: 4 },
});

/** Memory of a fixed size that traces show as an address only. */
export const pointer = <const Name extends string>(
  name: Name,
  direction: Direction,
  bytes: number,
): PointerArg<Name> => ({
  name,
  kind: "pointer",
  direction,
  extent: fixed(bytes),
});
/** Memory of as many bytes as another argument says, shown as an address only. */
export const sizedPointer = <const Name extends string>(
  name: Name,
  direction: Direction,
  sizeArgument: string,
  unit = 1,
): PointerArg<Name> => ({ name, kind: "pointer", direction, extent: counted(sizeArgument, unit) });

export const variant = <const Name extends string>(
  name: Name,
  on: string,
  cases: ReadonlyMap<number, PlainArg>,
  otherwise: PlainArg,
  mask = 0xffff_ffff,
): VariantArg<Name> => ({ name, kind: "variant", on, mask, cases, otherwise });
