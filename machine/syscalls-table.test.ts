import { expect, test } from "vitest";
import { syscallByName, syscalls } from "../abi/syscalls.ts";
import { formatSupport, type Support } from "./syscalls-table.ts";

const rows = ["read", "msync", "clone2"].map((name) => syscallByName.get(name)!);
const support = new Map<number, Support>([
  [0, { status: "full" }],
  [26, { status: "partial", note: 'flushes at exit only, "later"' }],
]);

test("the table is aligned and ends with the totals", () => {
  expect(formatSupport(rows, support, "table")).toBe(
    [
      "number  name    status   classes  page       note",
      "     0  read    full     desc     read(2)",
      '    26  msync   partial  memory   msync(2)   flushes at exit only, "later"',
      "   548  clone2  absent   process  clone2(2)",
      "",
      "3 system calls: 1 full, 1 partial, 1 absent",
      "",
    ].join("\n"),
  );
});

test("csv quotes what needs it", () => {
  expect(formatSupport(rows, support, "csv").split("\n")).toEqual([
    "number,name,status,classes,page,note",
    "0,read,full,desc,read(2),",
    '26,msync,partial,memory,msync(2),"flushes at exit only, ""later"""',
    "548,clone2,absent,process,clone2(2),",
    "",
  ]);
});

test("json has one object a call and no call is missing", () => {
  const parsed = JSON.parse(formatSupport(syscalls, support, "json")) as { number: number; status: string }[];
  expect(parsed).toHaveLength(syscalls.length);
  expect(parsed.find(({ number }) => number === 26)).toMatchObject({ status: "partial", classes: ["memory"] });
  expect(parsed.find(({ number }) => number === 1)).toMatchObject({ status: "absent", note: "" });
});
