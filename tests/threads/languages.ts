/** The languages whose threads are tried: how each program is compiled, or why it cannot be here. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../support/run-guest.ts";

const folder = import.meta.dirname;
const musl = join(repository, ".private/debian/trixie/usr/lib/x86_64-linux-musl");
const muslHeaders = join(repository, ".private/debian/trixie/usr/include/x86_64-linux-musl");
const suite = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "trixie";
/** golang-VERSION-go and golang-VERSION-src of the machine's own Debian. */
const goVersion: Readonly<Record<string, string>> = { bookworm: "1.19", trixie: "1.24" };

export interface Language {
  readonly name: string;
  readonly source: string;
  /** The compiler's command for a product; null for a program that is run as it is. */
  readonly compile: ((product: string, scratch: string) => readonly string[]) | null;
  /** Environment for the compiler. */
  readonly env?: (scratch: string) => Record<string, string>;
  /** Words before the source of a program that is not compiled, and behind it. */
  readonly interpreter?: string;
  readonly args?: readonly string[];
  /** Why it cannot be tried here, empty if it can. */
  readonly missing: () => string;
  /** The exit code of a run in which all is well. */
  readonly code: number;
}

const works = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
const needs = (command: string) => (): string => (works(command, "--version") ? "" : `there is no ${command}`);

const path = (name: string): string => join(folder, name);
const c = ["gcc", "-O1", "-pthread"];
/** stdatomic.h and others that belong to the compiler. */
function compilerHeaders(): string {
  return (spawnSync("gcc", ["-print-file-name=include"], { encoding: "utf8" }).stdout ?? "").trim();
}

const muslFlags = [
  ..."-O1 -nostdinc -nostdlib -static -no-pie -fno-pic -fno-stack-protector".split(" "),
  ...["-isystem", muslHeaders, "-isystem", compilerHeaders(), join(musl, "crt1.o"), join(musl, "crti.o")],
];

function goRoot(): string {
  return join(repository, `.private/debian/${suite}/usr/lib/go-${goVersion[suite]}`);
}

/** Debian's compiler is unpacked privately, like all that is needed for comparisons only. */
function goMissing(): string {
  const version = goVersion[suite];
  if (version === undefined) return `it is not known which Go ${suite} has`;
  const compiler = join(goRoot(), "bin/go");
  if (!existsSync(compiler)) {
    const script = join(repository, "scripts/setup-debian.mjs");
    const packages = [`golang-${version}-go`, `golang-${version}-src`];
    const fetched = spawnSync(process.execPath, [script, "--suite", suite, ...packages], { encoding: "utf8" });
    if (fetched.status !== 0) return `golang-${version}-go cannot be had: ${fetched.stderr.trim().split("\n").at(-1)}`;
  }
  return works(compiler, "version") ? "" : "Debian's Go does not run from a private folder";
}

export const LANGUAGES: readonly Language[] = [
  {
    name: "C with glibc, dynamic",
    source: "pthreads.c",
    compile: (product) => [...c, "-o", product, path("pthreads.c")],
    missing: needs("gcc"),
    code: 0,
  },
  {
    name: "C with glibc, static",
    source: "pthreads.c",
    compile: (product) => [...c, "-static", "-o", product, path("pthreads.c")],
    missing: needs("gcc"),
    code: 0,
  },
  {
    name: "C with musl, static",
    source: "pthreads.c",
    compile: (product) => [
      "gcc",
      ...muslFlags,
      "-o",
      product,
      path("pthreads.c"),
      join(musl, "libc.a"),
      "-lgcc",
      join(musl, "crtn.o"),
    ],
    missing: () =>
      existsSync(join(musl, "libc.a")) ? needs("gcc")() : "musl-dev is not unpacked (`make test` does that)",
    code: 0,
  },
  {
    name: "C++",
    source: "threads.cpp",
    compile: (product) => ["g++", "-O1", "-pthread", "-o", product, path("threads.cpp")],
    missing: needs("g++"),
    code: 0,
  },
  {
    name: "Go",
    source: "goroutines.go",
    compile: (product) => [join(goRoot(), "bin/go"), "build", "-o", product, path("goroutines.go")],
    env: (scratch) => ({
      ...{ GOROOT: goRoot(), GOCACHE: join(scratch, "go-cache"), GOPATH: join(scratch, "go"), HOME: scratch },
      ...{ CGO_ENABLED: "0", GO111MODULE: "off", GOTOOLCHAIN: "local", GOFLAGS: "" },
    }),
    missing: goMissing,
    code: 0,
  },
  {
    name: "Rust",
    source: "threads.rs",
    compile: (product) => ["rustc", "-O", "-o", product, path("threads.rs")],
    missing: needs("rustc"),
    code: 9,
  },
  {
    name: "Python, threads and processes",
    source: "threads.py",
    compile: null,
    interpreter: "/usr/bin/python3",
    missing: () => (existsSync("/usr/bin/python3") ? "" : "there is no /usr/bin/python3"),
    code: 0,
  },
  {
    name: "Python, multiprocessing",
    source: "threads.py",
    compile: null,
    interpreter: "/usr/bin/python3",
    args: ["processes"],
    missing: () => (existsSync("/usr/bin/python3") ? "" : "there is no /usr/bin/python3"),
    code: 0,
  },
];
