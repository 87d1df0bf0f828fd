/** How a number of a layout is shown in traces and docs. A flag set or an enumeration of flags.ts is a display too. */
export type Display =
  "decimal" | "hex" | "octal" | "address" | "fd" | { readonly name?: string; format(value: number | bigint): string };

interface Codec<Value, Input> {
  readonly size: number;
  readonly align: number;
  read(view: DataView, offset: number): Value;
  write(view: DataView, offset: number, value: Input): void;
}

/** A little-endian integer. Up to 32 bits it is a `number`; 64 bits decode as `bigint` and encode from either. */
export interface IntegerCodec<Value extends number | bigint = number | bigint> extends Codec<
  Value,
  Value extends bigint ? number | bigint : Value
> {
  readonly kind: "integer";
  readonly name: "u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64";
  readonly signed: boolean;
  readonly display: Display;
}

/** A C array of a fixed length. Missing elements are encoded as 0. */
export interface ArrayCodec<C extends AnyCodec = AnyCodec> extends Codec<
  ValueOf<C>[],
  readonly InputOf<C>[] | ArrayLike<InputOf<C>>
> {
  readonly kind: "array";
  readonly element: C;
  readonly length: number;
}

/** Raw bytes; decoding copies them. A shorter value is filled up with zeros. */
export interface BytesCodec extends Codec<Uint8Array, Uint8Array> {
  readonly kind: "bytes";
}

/** `char name[n]`: UTF-8 text up to the first NUL or the end. Encoding cuts so that a NUL always fits. */
export interface CstringCodec extends Codec<string, string> {
  readonly kind: "cstring";
}

/** Bytes without meaning: absent from the decoded value, zero when encoded. */
export interface PadCodec extends Codec<undefined, undefined> {
  readonly kind: "pad";
}

export type AnyCodec = IntegerCodec | ArrayCodec | BytesCodec | CstringCodec | PadCodec | Layout;
export type Fields = { readonly [field: string]: AnyCodec };

type ValueOf<C> =
  C extends Layout<infer F>
    ? DecodedFields<F>
    : C extends ArrayCodec<infer Element>
      ? ValueOf<Element>[]
      : C extends IntegerCodec<infer Value>
        ? Value
        : C extends { read(view: DataView, offset: number): infer Value }
          ? Value
          : never;

type InputOf<C> =
  C extends Layout<infer F>
    ? EncodableFields<F>
    : C extends ArrayCodec<infer Element>
      ? readonly InputOf<Element>[] | ArrayLike<InputOf<Element>>
      : C extends IntegerCodec<infer Value>
        ? Value extends bigint
          ? number | bigint
          : number
        : C extends BytesCodec
          ? Uint8Array
          : C extends CstringCodec
            ? string
            : undefined;

type NamedKeys<F> = { [K in keyof F]: F[K] extends PadCodec ? never : K }[keyof F];
type DecodedFields<F> = { -readonly [K in NamedKeys<F>]: ValueOf<F[K]> };
type EncodableFields<F> = { readonly [K in NamedKeys<F>]?: InputOf<F[K]> | undefined };

/** The TypeScript type of a decoded value: `type stat = TypeOf<typeof stat>`. */
export type TypeOf<C extends AnyCodec> = ValueOf<C>;
/** What `encode` accepts: every field optional, 64-bit fields as `number` or `bigint`. */
export type Encodable<C extends AnyCodec> = InputOf<C>;

export interface Field {
  readonly name: string;
  readonly offset: number;
  readonly codec: AnyCodec;
}

/** A C struct as a value: type, codec, offsets, size, C and assembler declarations all come from it. */
export interface Layout<F extends Fields = Fields> extends Codec<DecodedFields<F>, EncodableFields<F>> {
  readonly kind: "struct";
  readonly name: string;
  /** Man page or kernel header that declares the struct. */
  readonly page: string | undefined;
  readonly packed: boolean;
  readonly fields: readonly Field[];
  readonly offsets: { readonly [K in keyof F]: number };
  decode(view: DataView, offset?: number): DecodedFields<F>;
  /** Writes all `size` bytes: fields that are not given, and padding, become 0. */
  encode(view: DataView, offset: number, value: EncodableFields<F>): void;
  /** `encode` into fresh bytes. */
  bytes(value: EncodableFields<F>): Uint8Array<ArrayBuffer>;
}

const TWO_32 = 0x1_0000_0000;

/** Stores a 64-bit integer; a `number` goes in as two 32-bit halves and never becomes a bigint. */
export function writeWord64(view: DataView, offset: number, value: number | bigint): void {
  if (typeof value === "bigint") {
    view.setBigUint64(offset, BigInt.asUintN(64, value), true);
  } else {
    view.setUint32(offset, value, true);
    view.setUint32(offset + 4, Math.floor(value / TWO_32), true);
  }
}

/** Loads an unsigned 64-bit integer as a `number`; exact below 2^53. */
export function readWord64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * TWO_32 + view.getUint32(offset, true);
}

function integer<Value extends number | bigint>(
  name: IntegerCodec["name"],
  read: (view: DataView, offset: number) => Value,
  write: (view: DataView, offset: number, value: Value extends bigint ? number | bigint : Value) => void,
): IntegerCodec<Value> {
  const size = Number(name.slice(1)) / 8;
  return { kind: "integer", name, size, align: size, signed: name.startsWith("i"), display: "decimal", read, write };
}

export const u8 = integer<number>(
  "u8",
  (view, offset) => view.getUint8(offset),
  (view, offset, value) => view.setUint8(offset, value),
);
export const u16 = integer<number>(
  "u16",
  (view, offset) => view.getUint16(offset, true),
  (view, offset, value) => view.setUint16(offset, value, true),
);
export const u32 = integer<number>(
  "u32",
  (view, offset) => view.getUint32(offset, true),
  (view, offset, value) => view.setUint32(offset, value, true),
);
export const u64 = integer<bigint>("u64", (view, offset) => view.getBigUint64(offset, true), writeWord64);
export const i8 = integer<number>(
  "i8",
  (view, offset) => view.getInt8(offset),
  (view, offset, value) => view.setInt8(offset, value),
);
export const i16 = integer<number>(
  "i16",
  (view, offset) => view.getInt16(offset, true),
  (view, offset, value) => view.setInt16(offset, value, true),
);
export const i32 = integer<number>(
  "i32",
  (view, offset) => view.getInt32(offset, true),
  (view, offset, value) => view.setInt32(offset, value, true),
);
export const i64 = integer<bigint>("i64", (view, offset) => view.getBigInt64(offset, true), writeWord64);

/** The same integer, shown differently: `shown(u32, openFlags)`, `shown(u64, "address")`. */
export function shown<Value extends number | bigint>(
  codec: IntegerCodec<Value>,
  display: Display,
): IntegerCodec<Value> {
  return { ...codec, display };
}

export function array<C extends AnyCodec>(element: C, length: number): ArrayCodec<C> {
  // The element's own read and write carry the types; the union of all codecs cannot say so.
  const codec = element as unknown as Codec<ValueOf<C>, InputOf<C>>;
  return {
    kind: "array",
    element,
    length,
    size: codec.size * length,
    align: codec.align,
    read(view, offset) {
      const values: ValueOf<C>[] = [];
      for (let i = 0; i < length; i++) values.push(codec.read(view, offset + i * codec.size));
      return values;
    },
    write(view, offset, values) {
      if (values.length > length) throw new RangeError(`${values.length} values for an array of ${length}`);
      for (let i = 0; i < values.length; i++) codec.write(view, offset + i * codec.size, values[i] as InputOf<C>);
    },
  };
}

export function bytes(size: number): BytesCodec {
  return {
    kind: "bytes",
    size,
    align: 1,
    read: (view, offset) => new Uint8Array(view.buffer, view.byteOffset + offset, size).slice(),
    write(view, offset, value) {
      if (value.length > size) throw new RangeError(`${value.length} bytes for a field of ${size}`);
      new Uint8Array(view.buffer, view.byteOffset + offset, size).set(value);
    },
  };
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function cstring(size: number): CstringCodec {
  return {
    kind: "cstring",
    size,
    align: 1,
    read(view, offset) {
      const raw = new Uint8Array(view.buffer, view.byteOffset + offset, size).slice();
      const end = raw.indexOf(0);
      return decoder.decode(end < 0 ? raw : raw.subarray(0, end));
    },
    write(view, offset, value) {
      const text = encoder.encode(value);
      new Uint8Array(view.buffer, view.byteOffset + offset, size).set(text.subarray(0, size - 1));
    },
  };
}

export function pad(size: number): PadCodec {
  return { kind: "pad", size, align: 1, read: () => undefined, write: () => undefined };
}

export interface StructOptions {
  /** The size Linux gives it; a different computed size is an error when the module loads. */
  readonly size?: number;
  readonly packed?: boolean;
  /** Alignment above the natural one, as `__attribute__((aligned(n)))`. */
  readonly align?: number;
  readonly page?: string;
}

/**
 * Describes a C struct. Offsets follow the x86-64 ABI: each field at the next multiple of its alignment, the size
 * rounded up to the largest alignment, or no alignment at all with `packed`.
 */
export function struct<F extends Fields>(name: string, definition: F, options: StructOptions = {}): Layout<F> {
  const packed = options.packed ?? false;
  const fields: Field[] = [];
  const offsets: Record<string, number> = {};
  let end = 0;
  let align = options.align ?? 1;
  for (const [field, codec] of Object.entries(definition)) {
    if (!packed) {
      end = roundUp(end, codec.align);
      align = Math.max(align, codec.align);
    }
    fields.push({ name: field, offset: end, codec });
    offsets[field] = end;
    end += codec.size;
  }
  const size = roundUp(end, align);
  if (options.size !== undefined && options.size !== size) {
    throw new Error(`struct ${name}: fields take ${size} bytes, Linux has ${options.size}`);
  }

  function decode(view: DataView, offset = 0): DecodedFields<F> {
    const value: Record<string, unknown> = {};
    for (const field of fields) {
      if (field.codec.kind !== "pad") value[field.name] = field.codec.read(view, offset + field.offset);
    }
    return value as DecodedFields<F>;
  }

  function encode(view: DataView, offset: number, value: EncodableFields<F>): void {
    clear(view, offset, size);
    const given = value as Record<string, unknown>;
    for (const field of fields) {
      const item = given[field.name];
      if (item !== undefined) (field.codec as Codec<unknown, unknown>).write(view, offset + field.offset, item);
    }
  }

  return {
    kind: "struct",
    name,
    page: options.page,
    packed,
    size,
    align,
    fields,
    offsets: offsets as { readonly [K in keyof F]: number },
    decode,
    encode,
    read: decode,
    write: encode,
    bytes(value) {
      const target = new Uint8Array(size);
      encode(new DataView(target.buffer), 0, value);
      return target;
    },
  };
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

function clear(view: DataView, offset: number, size: number): void {
  let at = offset;
  const end = offset + size;
  for (; at + 4 <= end; at += 4) view.setUint32(at, 0, true);
  for (; at < end; at++) view.setUint8(at, 0);
}
