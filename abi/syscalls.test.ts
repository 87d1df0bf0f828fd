import { describe, expect, expectTypeOf, test } from "vitest";
import { decodeClass, isPointer, syscallByName, syscallByNumber, syscalls } from "./syscalls.ts";
import type { Arg, ArgsOf, Extent, SyscallName } from "./syscalls.ts";
import { __NR_clone2 } from "./clone.ts";

const withArgs = syscalls.flatMap((syscall) => syscall.args.map((arg) => ({ syscall, arg })));

test("every number from 0 to 336 and from 424 to 471 has a row, in ascending order", () => {
  const numbers = syscalls.map((syscall) => syscall.number);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  const expected = [...range(0, 336), ...range(424, 471), __NR_clone2];
  expect(numbers).toEqual(expected);
});

test("names are unique and both indices find the same row", () => {
  expect(syscallByName.size).toBe(syscalls.length);
  for (const syscall of syscalls) {
    expect(syscallByNumber[syscall.number]).toBe(syscall);
    expect(syscallByName.get(syscall.name)).toBe(syscall);
  }
  expect(syscallByNumber[400]).toBeUndefined();
});

test("clone2 has number 548 and takes a clone_struct and as many pids as it says", () => {
  const clone2 = syscallByNumber[548];
  expect(clone2?.name).toBe("clone2");
  expect(clone2?.args[0]).toMatchObject({ kind: "struct", direction: "in", extent: { by: "bytes", bytes: 40 } });
  expect(clone2?.args[1]).toMatchObject({ kind: "pidList", extent: { argument: "cs", field: "nr_pids", unit: 4 } });
});

test("no call has more than six arguments or two of the same name", () => {
  for (const { name, args } of syscalls) {
    expect(args.length, name).toBeLessThanOrEqual(6);
    expect(new Set(args.map((arg) => arg.name)).size, name).toBe(args.length);
  }
});

describe("references between arguments", () => {
  const names = (extent: Extent) => ("argument" in extent ? [extent.argument] : []);
  const referred = (arg: Arg): string[] => [
    ...(arg.when ? [arg.when.argument] : []),
    ...(isPointer(arg) ? names(arg.extent) : []),
    ...(arg.kind === "variant" ? [arg.on, ...[...arg.cases.values(), arg.otherwise].flatMap(referred)] : []),
  ];

  test("name an argument of the same call", () => {
    for (const { syscall, arg } of withArgs) {
      const own = syscall.args.map((other) => other.name);
      for (const name of referred(arg)) expect(own, `${syscall.name} ${arg.name}`).toContain(name);
    }
  });

  test("a length in memory is a 32-bit word behind a pointer", () => {
    for (const { syscall, arg } of withArgs) {
      if (!isPointer(arg) || arg.extent.by !== "lengthAt") continue;
      const { argument } = arg.extent;
      const length = syscall.args.find((other) => other.name === argument);
      expect(length, syscall.name).toMatchObject({ kind: "integerPointer", direction: "inout" });
    }
  });

  test("a field that counts is a field of the struct it names", () => {
    for (const { syscall, arg } of withArgs) {
      if (!isPointer(arg) || arg.extent.by !== "field") continue;
      const { argument, field } = arg.extent;
      const target = syscall.args.find((other) => other.name === argument);
      if (!target || !("layout" in target)) throw new Error(`${syscall.name}: ${argument} is no struct`);
      expect(target.layout.offsets, syscall.name).toHaveProperty(field);
    }
  });
});

test("descriptors, pids and ints are 32-bit signed, flags and ids 32-bit unsigned, sizes and addresses 64", () => {
  const classes = (name: string) => syscallByName.get(name)?.args.map((arg) => decodeClass(arg.kind));
  expect(classes("read")).toEqual(["i32", "u64", "u64"]);
  expect(classes("kill")).toEqual(["i32", "i32"]);
  expect(classes("chown")).toEqual(["u64", "u32", "u32"]);
  expect(classes("openat")).toEqual(["i32", "u64", "u32", "u32"]);
  expect(classes("mmap")).toEqual(["u64", "u64", "u64", "u64", "i32", "u64"]);
  expect(classes("lseek")).toEqual(["i32", "i64", "i32"]);
  expect(classes("ioctl")).toEqual(["i32", "u32", "u64"]);
  expect(classes("clone2")).toEqual(["u64", "u64"]);
});

test("names and arguments are literal types", () => {
  expectTypeOf<"clone2">().toExtend<SyscallName>();
  expectTypeOf<"no_such_call">().not.toExtend<SyscallName>();
  expectTypeOf<keyof ArgsOf<"pipe2">>().toEqualTypeOf<"pipefd" | "flags">();
  expectTypeOf<ArgsOf<"read">["fd"]["kind"]>().toEqualTypeOf<"fd">();
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
