import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { __NR_clone2, clone_args, clone_struct, CLONE_INTO_CGROUP } from "./clone.ts";
import { asmInclude, cHeader, toAsmInclude, toCHeader } from "./generate.ts";
import { bytes, cstring, pad, struct, u16, u64, u8 } from "./layout.ts";
import { epoll_event } from "./poll.ts";
import { ucontext } from "./ucontext.ts";

const hasCompiler = spawnSync("gcc", ["--version"]).status === 0;

test("a packed layout becomes a packed C struct", () => {
  expect(toCHeader(epoll_event)).toContain(
    "} __attribute__((packed));\n_Static_assert(sizeof(struct epoll_event) == 12",
  );
});

test("pads are kept in C and absent from the assembler's names", () => {
  const layout = struct("sample", { a: u8, __gap: pad(3), b: u16, text: cstring(10), raw: bytes(2), c: u64 });
  expect(toCHeader(layout)).toContain("\tuint8_t __gap[3];\n\tuint16_t b;\n\tchar text[10];\n\tuint8_t raw[2];\n");
  expect(toAsmInclude(layout)).toBe(
    ".set sample_a, 0\n.set sample_b, 4\n.set sample_text, 6\n.set sample_raw, 16\n.set sample_c, 24\n.set sample_size, 32\n",
  );
});

test("fields of nested structs are named by their path and counted from the outermost start", () => {
  const lines = toAsmInclude(ucontext).split("\n");
  expect(lines).toContain(".set ucontext_uc_mcontext, 40");
  expect(lines).toContain(`.set ucontext_uc_mcontext_ip, ${40 + 16 * 8}`);
});

test("the headers in guest-programs/lib/generated are what abi/ says", () => {
  const folder = join(import.meta.dirname, "../guest-programs/lib/generated");
  expect(readFileSync(join(folder, "trapgate-abi.h"), "utf8")).toBe(cHeader());
  expect(readFileSync(join(folder, "trapgate-abi.inc"), "utf8")).toBe(asmInclude());
});

describe.skipIf(!hasCompiler)("with gcc and as", () => {
  const folder = mkdtempSync(join(tmpdir(), "trapgate-generate-"));
  beforeAll(() => {
    writeFileSync(join(folder, "trapgate-abi.h"), cHeader());
    writeFileSync(join(folder, "trapgate-abi.inc"), asmInclude());
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("C and assembler give clone_struct and clone_args the offsets of their descriptors", () => {
    const items = [clone_struct, clone_args].flatMap((layout) => [
      ...layout.fields.map(({ name, offset }) => ({
        c: `offsetof(struct ${layout.name}, ${name})`,
        as: `${layout.name}_${name}`,
        ours: offset,
      })),
      { c: `sizeof(struct ${layout.name})`, as: `${layout.name}_size`, ours: layout.size },
    ]);
    items.push({ c: "__NR_clone2", as: "__NR_clone2", ours: __NR_clone2 });
    items.push({ c: "SYS_read", as: "SYS_read", ours: 0 });
    items.push({ c: "CLONE_INTO_CGROUP", as: "CLONE_INTO_CGROUP", ours: CLONE_INTO_CGROUP });
    items.push({ c: "AT_FDCWD", as: "AT_FDCWD", ours: -100 });
    items.push({ c: "SA_RESETHAND", as: "SA_RESETHAND", ours: 0x80000000 });
    const assembly = [
      ".intel_syntax noprefix",
      '.include "trapgate-abi.inc"',
      ".text",
      "mov eax, __NR_clone2",
      "mov rdi, [rsi + clone_struct_child_stack]",
      "mov edi, offset CLONE_NEWPID + SIGCHLD",
      ".data",
      ".globl values",
      "values:",
      ...items.map((item) => `.quad ${item.as}`),
      '.section .note.GNU-stack,"",@progbits',
      "",
    ];
    const program = [
      '#include "trapgate-abi.h"',
      "#include <stddef.h>",
      "#include <stdio.h>",
      "extern long long values[];",
      "int main(void) {",
      ...items.map((item, i) => `  printf("%lld %lld\\n", (long long)${item.c}, values[${i}]);`),
      "  return 0;",
      "}",
      "",
    ];
    writeFileSync(join(folder, "values.s"), assembly.join("\n"));
    writeFileSync(join(folder, "main.c"), program.join("\n"));
    execFileSync("gcc", ["-Wall", "-Werror", "-o", "main", "main.c", "values.s"], { cwd: folder });
    const output = execFileSync(join(folder, "main"), { encoding: "utf8" }).trim();
    expect(output.split("\n")).toEqual(items.map((item) => `${item.ours} ${item.ours}`));
  });

  test("the C header goes along with the system's headers before and after it", () => {
    const headers = [
      "fcntl.h",
      "sched.h",
      "signal.h",
      "sys/mman.h",
      "sys/wait.h",
      "sys/stat.h",
      "errno.h",
      "sys/syscall.h",
    ];
    const includes = headers.map((header) => `#include <${header}>`).join("\n");
    writeFileSync(join(folder, "after.c"), `#define _GNU_SOURCE\n${includes}\n#include "trapgate-abi.h"\n`);
    writeFileSync(join(folder, "alone.c"), '#include "trapgate-abi.h"\n');
    for (const file of ["after.c", "alone.c"]) {
      execFileSync("gcc", ["-Wall", "-Wextra", "-Werror", "-c", "-o", "/dev/null", file], { cwd: folder });
    }
    execFileSync(
      "gcc",
      ["-Wall", "-Werror", "-ffreestanding", "-nostdinc", "-isystem", gccInclude(), "-c", "-o", "/dev/null", "alone.c"],
      { cwd: folder },
    );
  });

  test("the assembler include works in AT&T syntax as well", () => {
    writeFileSync(
      join(folder, "att.s"),
      '.include "trapgate-abi.inc"\nmov $SYS_exit, %eax\nmov clone_struct_nr_pids(%rdi), %ecx\n',
    );
    execFileSync("as", ["-o", "/dev/null", "att.s"], { cwd: folder });
  });
});

/** Where the compiler keeps the headers that need no C library. */
function gccInclude(): string {
  return execFileSync("gcc", ["-print-file-name=include"], { encoding: "utf8" }).trim();
}
