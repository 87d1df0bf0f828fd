/**
 * Programs that people run: Debian's own, those of the machine where they are installed, else unpacked privately.
 * `command` gives the words from a function that makes inputs; `tool` names the executable, as a path or as a file of one
 * of `packages`. `lacks` says why a system cannot be compared. A row with `rate` works for
 * a time of its own and prints how much it does in a second: `amount` of that is what the table shows the time of.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hostSuite, root, unpacked, unpackPackages } from "../turns.mjs";

const script = (name) => join(root, "bench/programs", name);
const QEMU_RUNS_CHILDREN_NATIVELY = { "qemu-user": "its children are run by the host itself" };

export const programs = [
  { name: "gzip -1, 50 MB", tool: "/usr/bin/gzip", command: (input) => ["-1", "-c", input("text-50m")] },
  { name: "gunzip, 50 MB", tool: "/usr/bin/gzip", command: (input) => ["-dc", input("text-50m.gz")], quick: true },
  { name: "xz -1, 10 MB", tool: "/usr/bin/xz", command: (input) => ["-1", "-c", input("text-10m")] },
  { name: "unxz, 50 MB", tool: "/usr/bin/xz", command: (input) => ["-dc", input("text-50m.xz")] },
  { name: "sha256sum, 50 MB", tool: "/usr/bin/sha256sum", command: (input) => [input("text-50m")], quick: true },
  {
    name: "sort, 500,000 lines",
    tool: "/usr/bin/sort",
    // One thread: the machine has one processor, and qemu-user and the host two.
    command: (input) => ["--parallel=1", input("lines-500k")],
  },
  {
    name: "gawk, report on 4 MB",
    tool: "usr/bin/gawk",
    packages: ["gawk", "libsigsegv2", "libmpfr6", "libgmp10"],
    command: (input) => ["-f", script("report.awk"), input("text-4m")],
  },
  {
    name: "mawk, report on 4 MB",
    tool: "/usr/bin/mawk",
    command: (input) => ["-f", script("report.awk"), input("text-4m")],
  },
  {
    name: "lua, tables and strings",
    tool: "usr/bin/lua5.4",
    packages: ["lua5.4"],
    command: () => [script("tables.lua"), "4"],
    quick: true,
  },
  {
    name: "perl, hashes and regex",
    tool: "/usr/bin/perl",
    command: (input) => [script("hashes.pl"), input("text-10m"), "6000"],
  },
  { name: "bash, loops", tool: "/usr/bin/bash", command: () => [script("loops.sh"), "500"], quick: true },
  { name: "python3, start", tool: "/usr/bin/python3", command: () => ["-c", "print('started')"] },
  { name: "python3, n-body", tool: "/usr/bin/python3", command: () => [script("nbody.py"), "30000"] },
  { name: "python3, words", tool: "/usr/bin/python3", command: () => [script("words.py"), "250000"] },
  { name: "python3, JSON", tool: "/usr/bin/python3", command: () => [script("json-round-trip.py"), "50"] },
  { name: "python3, regex", tool: "/usr/bin/python3", command: () => [script("regex.py"), "10"] },
  { name: "python3, objects", tool: "/usr/bin/python3", command: () => [script("objects.py"), "40000"] },
  {
    name: "sqlite3, in memory",
    tool: "/usr/bin/sqlite3",
    command: () => [":memory:", `.read ${script("queries.sql")}`],
    quick: true,
  },
  {
    name: "cc1 -O2, 2,000 lines",
    tool: `/usr/lib/gcc/x86_64-linux-gnu/${process.env.GCC_VERSION ?? "12"}/cc1`,
    command: (input) => ["-quiet", "-imultiarch", "x86_64-linux-gnu", "-O2", input("program.c"), "-o", "-"],
  },
  {
    name: "gcc -O2, the same, and run",
    tool: "/bin/sh",
    needs: ["/usr/bin/gcc"],
    command: (input) => [
      "-c",
      `gcc -O2 ${input("program.c")} -o /tmp/bench-program && /tmp/bench-program && cat /tmp/bench-program && rm /tmp/bench-program`,
    ],
    lacks: QEMU_RUNS_CHILDREN_NATIVELY,
  },
  {
    name: "openssl sha256, 100 MB",
    tool: "/usr/bin/openssl",
    command: () => ["speed", "-mr", "-elapsed", "-seconds", "2", "-bytes", "16384", "-evp", "sha256"],
    rate: { pattern: /^\+F:\d+:sha256:([\d.]+)$/im, amount: 100e6 },
    quick: true,
  },
  {
    name: "openssl RSA 2048, 100 signatures",
    tool: "/usr/bin/openssl",
    command: () => ["speed", "-mr", "-elapsed", "-seconds", "2", "rsa2048"],
    rate: { pattern: /^\+F2:\d+:2048:([\d.]+):/m, amount: 100 },
  },
];

/** Sets `path` to a program's executable, or `missing` to the reason why there is none. */
export function findProgram(program) {
  const { tool, packages = [], needs = [] } = program;
  const path = tool.startsWith("/") ? tool : join(unpacked(hostSuite()), tool);
  if (packages.length > 0 && !existsSync(path)) unpackPackages(hostSuite(), packages);
  const absent = [path, ...needs].find((file) => !existsSync(file));
  return absent ? { ...program, missing: `${absent} is not installed` } : { ...program, path };
}

/**
 * The same for all systems: no locale, the libraries of unpacked packages, and an OpenSSL that keeps to instructions of
 * x86-64-v2, because the machine shows no others and the host would use its SHA and AVX-512 units.
 */
export const environment = {
  PATH: "/usr/bin:/bin",
  HOME: "/tmp",
  LC_ALL: "C",
  PYTHONDONTWRITEBYTECODE: "1",
  PYTHONHASHSEED: "0",
  LD_LIBRARY_PATH: join(unpacked(hostSuite()), "usr/lib/x86_64-linux-gnu"),
  OPENSSL_ia32cap: "~0x1040180000000000:~0xffffffffffffffff",
};
