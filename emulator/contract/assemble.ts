/** Assembles the snippets of the contract tests with binutils, which are wherever a C compiler is. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const done = new Map<string, Uint8Array>();

/**
 * Machine code of x86-64 assembly in Intel syntax without prefixes (`mov rax, [rdi]`), for any load address: use
 * RIP-relative operands for data. Throws what the assembler said when it does not accept the source.
 */
export function assemble(source: string): Uint8Array {
  const known = done.get(source);
  if (known) return known;
  const folder = mkdtempSync(join(tmpdir(), "trapgate-"));
  try {
    const object = join(folder, "code.o");
    const binary = join(folder, "code.bin");
    execFileSync("as", ["--64", "-o", object, "-"], { input: `.intel_syntax noprefix\n${source}\n` });
    execFileSync("objcopy", ["-O", "binary", "-j", ".text", object, binary]);
    const code = new Uint8Array(readFileSync(binary));
    done.set(source, code);
    return code;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
