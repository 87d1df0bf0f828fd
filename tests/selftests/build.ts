/**
 * Gets the selftests of Debian's kernel source and compiles them, unmodified, into build/selftests. The source is never
 * part of this repository: scripts/setup-debian.mjs unpacks the package privately, and only the folders needed come out
 * of its archive.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { BUILD_FLAGS, SELFTESTS } from "./programs.ts";

export const repository = resolve(import.meta.dirname, "../..");
const folder = join(repository, "build/selftests");
const source = join(folder, "source");
const inclusion = join(folder, "include");
const compiler = process.env["CC"] ?? "gcc";
const PACKAGE = "linux-source-6.1";
const LIBCAP = "libcap-dev";

export const programPath = (directory: string, program: string): string => join(folder, "bin", directory, program);

/** Builds what is missing. @returns why it cannot be done here, null when everything is there */
export function buildSelftests(): string | null {
  if (process.platform !== "linux" || process.arch !== "x64") return "the host is not x86-64 Linux";
  const suite = hostSuite();
  if (suite !== "bookworm") return `${PACKAGE} is in Debian 12; this is ${suite ?? "another system"}`;
  const debian = join(repository, ".private/debian", suite);
  const wanted = SELFTESTS.filter(({ directory, program }) => !existsSync(programPath(directory, program)));
  if (wanted.length === 0) return null;
  return unpackSource(suite, debian) ?? prepareLibcap(suite, debian) ?? compileAll(debian);
}

function hostSuite(): string | undefined {
  const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return /^VERSION_CODENAME=(\w+)/m.exec(text)?.[1];
}

function fetchPackage(suite: string, name: string): string | null {
  const script = join(repository, "scripts/setup-debian.mjs");
  const result = spawnSync(process.execPath, [script, "--suite", suite, name], { encoding: "utf8" });
  return result.status === 0 ? null : `${name} cannot be had: ${result.stderr.trim().split("\n").at(-1)}`;
}

function unpackSource(suite: string, debian: string): string | null {
  if (existsSync(source)) return null;
  const archive = join(debian, "usr/src/linux-source-6.1.tar.xz");
  const failure = existsSync(archive) ? null : fetchPackage(suite, PACKAGE);
  if (failure !== null) return failure;
  const unfinished = `${source}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  const base = "linux-source-6.1/tools/testing/selftests";
  const names = Object.keys(BUILD_FLAGS).map((directory) => `${base}/${directory.split("/")[0]}`);
  const words = [
    "-xJf",
    archive,
    "-C",
    unfinished,
    "--strip-components=4",
    "--wildcards",
    "--no-wildcards-match-slash",
  ];
  const result = spawnSync("tar", [...words, ...names, `${base}/*.h`], { encoding: "utf8" });
  if (result.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    return `${archive} cannot be unpacked: ${result.stderr.trim()}`;
  }
  renameSync(unfinished, source);
  return null;
}

/** The one header that clone3 needs, in a folder of its own: a second /usr/include would hide parts of the first. */
function prepareLibcap(suite: string, debian: string): string | null {
  const header = join(inclusion, "sys/capability.h");
  if (existsSync(header)) return null;
  const found = join(debian, "usr/include/sys/capability.h");
  const failure = existsSync(found) ? null : fetchPackage(suite, LIBCAP);
  if (failure !== null) return failure;
  mkdirSync(dirname(header), { recursive: true });
  copyFileSync(found, header);
  return null;
}

function compileAll(debian: string): string | null {
  const caps = ["-isystem", inclusion, join(debian, "usr/lib/x86_64-linux-gnu/libcap.a")];
  const done = new Set<string>();
  for (const { directory, program } of SELFTESTS) {
    const product = programPath(directory, program);
    if (done.has(product)) continue;
    done.add(product);
    const file = join(source, directory, `${program}.c`);
    if (existsSync(product) && statSync(product).mtimeMs > statSync(file).mtimeMs) continue;
    mkdirSync(dirname(product), { recursive: true });
    const flags = BUILD_FLAGS[directory]!;
    const before = flags.filter((flag) => !flag.startsWith("-l") && !flag.startsWith("{"));
    const after = flags.flatMap((flag) => (flag === "{caps}" ? caps : flag.startsWith("-l") ? [flag] : []));
    const words = [...before, "-o", `${product}.${process.pid}`, `${program}.c`, ...after];
    const result = spawnSync(compiler, words, { cwd: join(source, directory), encoding: "utf8" });
    if (result.status !== 0) return `${directory}/${program}.c cannot be compiled: ${result.stderr ?? result.error}`;
    renameSync(`${product}.${process.pid}`, product);
  }
  return null;
}
