/** Bits of a flag word that are one number instead of independent flags, such as O_ACCMODE or S_IFMT. */
export interface FlagField {
  readonly mask: number;
  readonly values: Readonly<Record<string, number>>;
  /** Printed before the flags (default) or after them, as the exit signal of clone(2). */
  readonly position?: "first" | "last";
}

export interface FlagOptions {
  readonly fields?: readonly FlagField[];
  /** The name of the empty set, if Linux has one: PROT_NONE. */
  readonly zero?: string;
  /** How bits without a name are printed: hexadecimal, or octal as permission bits. */
  readonly rest?: "hex" | "octal";
}

/** A set of flags that formats as strace does (`O_RDWR|O_CREAT|0x4000000`) and parses the same text. */
export interface FlagSet<Name extends string = string> {
  readonly kind: "flags";
  readonly name: string;
  readonly flags: Readonly<Record<Name, number>>;
  readonly fields: readonly FlagField[];
  /** Every bit that has a name. */
  readonly mask: bigint;
  format(value: number | bigint): string;
  /** Throws on an unknown name. Exact below 2^53, which covers every flag word Linux has. */
  parse(text: string): number;
}

/** A number of which each value has a name: `SEEK_SET`, `F_GETFL`. */
export interface EnumSet<Name extends string = string> {
  readonly kind: "enumeration";
  readonly name: string;
  readonly values: Readonly<Record<Name, number>>;
  /** The name of a value, if it has one. Where two names share a value the first one given wins. */
  nameOf(value: number | bigint): Name | undefined;
  format(value: number | bigint): string;
  parse(text: string): number;
}

interface Flag {
  readonly name: string;
  readonly bits: bigint;
}

/** Describes a flag word. Flags of several bits (O_SYNC, O_TMPFILE) are recognised before their parts. */
export function flagSet<Name extends string>(
  name: string,
  flags: Readonly<Record<Name, number>>,
  options: FlagOptions = {},
): FlagSet<Name> {
  const fields = options.fields ?? [];
  const declared: Flag[] = Object.entries<number>(flags).map(([flag, bits]) => ({ name: flag, bits: BigInt(bits) }));
  const widestFirst = declared.filter((flag) => flag.bits !== 0n);
  widestFirst.sort((a, b) => bitCount(b.bits) - bitCount(a.bits));
  const fieldNames = fields.map((field) => new Map(Object.entries(field.values).map(([key, value]) => [value, key])));
  let mask = 0n;
  for (const flag of declared) mask |= flag.bits;
  for (const field of fields) mask |= BigInt(field.mask);

  function format(value: number | bigint): string {
    let rest = unsigned(value);
    const first: string[] = [];
    const last: string[] = [];
    fields.forEach((field, i) => {
      const found = fieldNames[i]?.get(Number(rest & BigInt(field.mask)));
      if (found === undefined) return;
      rest &= ~BigInt(field.mask);
      (field.position === "last" ? last : first).push(found);
    });
    const present = new Set<Flag>();
    for (const flag of widestFirst) {
      if ((rest & flag.bits) !== flag.bits) continue;
      rest &= ~flag.bits;
      present.add(flag);
    }
    const parts = [...first, ...declared.filter((flag) => present.has(flag)).map((flag) => flag.name), ...last];
    const octal = options.rest === "octal";
    if (rest !== 0n || (octal && parts.length > 0)) parts.push(octal ? formatOctal(rest) : `0x${rest.toString(16)}`);
    return parts.length > 0 ? parts.join("|") : (options.zero ?? "0");
  }

  const numbers = new Map<string, number>(Object.entries<number>(flags));
  for (const field of fields) for (const [key, value] of Object.entries(field.values)) numbers.set(key, value);
  if (options.zero !== undefined) numbers.set(options.zero, 0);
  const parse = (text: string): number => {
    let value = 0n;
    for (const part of text.split("|")) value |= BigInt(parseName(name, numbers, part));
    return Number(value);
  };
  return { kind: "flags", name, flags, fields, mask, format, parse };
}

/** Describes a number whose values have names. `unknown` is the pattern strace shows beside a number without one. */
export function enumSet<Name extends string>(
  name: string,
  values: Readonly<Record<Name, number>>,
  options: { readonly unknown?: string } = {},
): EnumSet<Name> {
  const names = new Map<number, Name>();
  const numbers = new Map<string, number>();
  for (const [key, value] of Object.entries(values) as [Name, number][]) {
    if (!names.has(value)) names.set(value, key);
    numbers.set(key, value);
  }
  const nameOf = (value: number | bigint): Name | undefined => names.get(Number(value));
  return {
    kind: "enumeration",
    name,
    values,
    nameOf,
    format(value) {
      const found = nameOf(value);
      if (found !== undefined) return found;
      const number = `0x${unsigned(value).toString(16)}`;
      return options.unknown === undefined ? number : `${number} /* ${options.unknown} */`;
    },
    parse: (text) => parseName(name, numbers, text),
  };
}

/** Permission bits as strace writes them: at least three octal digits after a 0. */
export function formatOctal(value: number | bigint): string {
  const digits = value.toString(8);
  return digits === "0" ? "000" : `0${digits.padStart(3, "0")}`;
}

function parseName(set: string, numbers: ReadonlyMap<string, number>, text: string): number {
  const word = text.trim();
  const named = numbers.get(word);
  if (named !== undefined) return named;
  if (/^0[0-7]+$/.test(word)) return parseInt(word, 8);
  if (/^(0x[0-9a-f]+|[0-9]+)$/i.test(word)) return Number(word);
  throw new Error(`${word} is not one of ${set}`);
}

/** A negative `number` is taken as the 32-bit word the guest passed. */
function unsigned(value: number | bigint): bigint {
  if (typeof value === "bigint") return BigInt.asUintN(64, value);
  return value < 0 ? BigInt(value >>> 0) : BigInt(value);
}

function bitCount(bits: bigint): number {
  return bits.toString(2).replaceAll("0", "").length;
}
