/**
 * The kernels of guest-programs/bench/kernels, with repetitions for 0.2 to 0.5 s of the development machine; less for
 * floats and packed bytes, on which the other emulators are a hundred times slower than the machine.
 * `vector` marks those whose time goes to floats and packed instructions.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fail, root } from "../turns.mjs";

export const kernels = [
  { name: "collatz", count: 130, what: "integers in registers" },
  { name: "sieve", count: 2200, what: "byte stores" },
  { name: "crc32", count: 2200, what: "table look-ups" },
  { name: "sha256", count: 15000, what: "32-bit rotations, many values" },
  { name: "list-chase", count: 2400, what: "loads that wait" },
  { name: "quicksort", count: 380, what: "loads and branches" },
  { name: "fib", count: 1400, what: "calls and returns" },
  { name: "nbody", count: 3000, what: "scalar doubles", vector: true },
  { name: "matmul", count: 900, what: "packed doubles", vector: true },
  { name: "mandelbrot", count: 3000, what: "packed floats", vector: true },
  { name: "blend", count: 100_000, what: "packed integers", vector: true },
  { name: "interpreter", count: 800, what: "one big switch" },
  { name: "bignum", count: 250_000, what: "128-bit products, carries" },
  { name: "gcd", count: 3300, what: "division" },
  { name: "byte-scan", count: 80_000, what: "strlen and memchr", vector: true },
  { name: "hash-table", count: 7000, what: "hashing, small functions" },
  { name: "indirect-calls", count: 30_000, what: "calls through tables" },
  { name: "memory-copy", count: 4500, what: "copies of 16 bytes to 64 KiB" },
];

const sources = join(root, "guest-programs/bench/kernels");
const library = join(root, "guest-programs/lib");
const products = join(root, "build/bench/kernels");
const FLAGS =
  "-std=gnu11 -Wall -Wextra -O2 -march=x86-64 -ffreestanding -fno-stack-protector -fno-pic -no-pie -fcf-protection=none" +
  " -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -static -nostdlib -Wl,--build-id=none" +
  " -Wl,-z,noexecstack";

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

export const kernelPath = ({ name }) => join(products, name);

/** Compiles the kernels that are older than their sources. */
export function buildKernels() {
  const shared = [join(sources, "harness.c"), join(library, "start.c"), join(library, "text.c")];
  const newest = Math.max(...shared.map(modified), modified(join(sources, "kernel.h")));
  const forgotten = readdirSync(sources).find(
    (file) => file.endsWith(".c") && file !== "harness.c" && !kernels.some(({ name }) => file === `${name}.c`),
  );
  if (forgotten) fail(`guest-programs/bench/kernels/${forgotten} has no row in bench/cpu/kernels.mjs`);
  mkdirSync(products, { recursive: true });
  for (const kernel of kernels) {
    const source = join(sources, `${kernel.name}.c`);
    const product = kernelPath(kernel);
    if (modified(product) > Math.max(newest, modified(source))) continue;
    const words = [...FLAGS.split(" "), "-I", sources, "-I", library, "-o", product, source, ...shared];
    const { status } = spawnSync(process.env.GUEST_CC ?? "gcc", words, { stdio: "inherit" });
    if (status !== 0) fail(`${source} cannot be compiled`);
  }
}
