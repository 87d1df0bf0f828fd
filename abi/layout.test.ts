import { describe, expect, expectTypeOf, test } from "vitest";
import {
  array,
  bytes,
  cstring,
  i16,
  i32,
  i64,
  i8,
  pad,
  readWord64,
  shown,
  struct,
  u16,
  u32,
  u64,
  u8,
  writeWord64,
} from "./layout.ts";
import type { TypeOf } from "./layout.ts";
import type { pollfd } from "./poll.ts";
import { stat, statx } from "./stat.ts";
import { utsname } from "./utsname.ts";

const view = (size = 64) => new DataView(new ArrayBuffer(size));

describe("offsets", () => {
  test("follow C's natural alignment, and the size is rounded up to it", () => {
    const layout = struct("sample", { a: u8, b: u32, c: u8, d: u16, e: u64, f: u8 });
    expect(layout.offsets).toEqual({ a: 0, b: 4, c: 8, d: 10, e: 16, f: 24 });
    expect(layout.size).toBe(32);
    expect(layout.align).toBe(8);
  });

  test("have no gaps when packed", () => {
    const layout = struct("sample", { a: u8, b: u32, c: u64 }, { packed: true, size: 13 });
    expect(layout.offsets).toEqual({ a: 0, b: 1, c: 5 });
    expect(layout.align).toBe(1);
  });

  test("a nested struct keeps its alignment and arrays that of their element", () => {
    const inner = struct("inner", { a: u32, b: u64 });
    const layout = struct("outer", { tag: u8, list: array(u16, 3), inner });
    expect(layout.offsets).toEqual({ tag: 0, list: 2, inner: 8 });
    expect(layout.size).toBe(24);
  });

  test("a wrong size is refused when the struct is described, with both sizes", () => {
    expect(() => struct("sample", { a: u32 }, { size: 8 })).toThrow("struct sample: fields take 4 bytes, Linux has 8");
  });
});

describe("encode and decode", () => {
  const every = struct("every", {
    a: u8,
    b: i8,
    c: u16,
    d: i16,
    e: u32,
    f: i32,
    g: u64,
    h: i64,
    i: array(i32, 2),
    j: bytes(3),
    __k: pad(1),
    l: cstring(8),
  });

  test("give back every kind of field", () => {
    const value = {
      a: 255,
      b: -1,
      c: 65535,
      d: -2,
      e: 0xffff_ffff,
      f: -3,
      g: 2n ** 64n - 1n,
      h: -4n,
      i: [1, -1],
      j: Uint8Array.of(1, 2, 3),
      l: "text",
    };
    const memory = view(every.size + 3);
    every.encode(memory, 3, value);
    expect(every.decode(memory, 3)).toEqual(value);
    expect(every.decode(new DataView(every.bytes(value).buffer))).toEqual(value);
  });

  test("missing fields and padding become zero whatever was there before", () => {
    const layout = struct("sample", { a: u8, b: u64 });
    const memory = view(18);
    for (let i = 0; i < 18; i++) memory.setUint8(i, 0xaa);
    layout.encode(memory, 1, { a: 1 });
    expect([...new Uint8Array(memory.buffer)]).toEqual([0xaa, 1, ...Array<number>(15).fill(0), 0xaa]);
  });

  test.each([
    [0, 0n],
    [-1, 2n ** 64n - 1n],
    [-100, 2n ** 64n - 100n],
    [0xffff_ffff, 0xffff_ffffn],
    [0x1_0000_0000, 0x1_0000_0000n],
    [Number.MAX_SAFE_INTEGER, 2n ** 53n - 1n],
    [Number.MIN_SAFE_INTEGER, 2n ** 64n - 2n ** 53n + 1n],
    [-5n, 2n ** 64n - 5n],
  ])("a 64-bit field takes %s", (input, expected) => {
    const memory = view(8);
    writeWord64(memory, 0, input);
    expect(memory.getBigUint64(0, true)).toBe(expected);
    u64.write(memory, 0, input);
    expect(u64.read(memory, 0)).toBe(expected);
  });

  test("readWord64 gives exact numbers below 2^53", () => {
    const memory = view(8);
    writeWord64(memory, 0, Number.MAX_SAFE_INTEGER);
    expect(readWord64(memory, 0)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("a nested struct takes some of its fields", () => {
    const memory = new DataView(statx.bytes({ stx_atime: { tv_sec: 7 } }).buffer);
    expect(statx.decode(memory).stx_atime).toEqual({ tv_sec: 7n, tv_nsec: 0 });
  });

  test("a text that is too long is cut so that its NUL fits", () => {
    const memory = new DataView(utsname.bytes({ nodename: "n".repeat(80) }).buffer);
    expect(utsname.decode(memory).nodename).toBe("n".repeat(64));
  });

  test("too many bytes or elements are our mistake and throw", () => {
    expect(() => array(u8, 2).write(view(), 0, [1, 2, 3])).toThrow(RangeError);
    expect(() => bytes(2).write(view(), 0, new Uint8Array(3))).toThrow(RangeError);
  });
});

test("types follow the fields: 64 bits are bigint, pads are absent", () => {
  expectTypeOf<TypeOf<typeof pollfd>>().toEqualTypeOf<{ fd: number; events: number; revents: number }>();
  expectTypeOf<TypeOf<typeof stat>["st_size"]>().toEqualTypeOf<bigint>();
  expectTypeOf<TypeOf<typeof stat>>().not.toHaveProperty("__pad0");
  expectTypeOf<TypeOf<typeof statx>["stx_atime"]>().toEqualTypeOf<{ tv_sec: bigint; tv_nsec: number }>();
  expectTypeOf(stat.encode).parameter(2).toExtend<{ readonly st_size?: number | bigint | undefined }>();
});

test("showing an integer differently changes nothing else", () => {
  expect(shown(u32, "hex")).toMatchObject({ name: "u32", size: 4, display: "hex" });
  expect(u32.display).toBe("decimal");
});
