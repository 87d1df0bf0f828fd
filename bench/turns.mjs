/** What the measuring scripts of this folder share: systems that take turns, the watch, medians and tables in documents. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Inputs and outputs of the measurements. */
export const folder = join(root, "build/bench");
const measureTool = join(folder, "measure");

export function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(1);
}

/** The Debian suite of this machine, whose packages fit its libraries. */
export function hostSuite() {
  const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return /^VERSION_CODENAME=(\w+)/m.exec(text)?.[1] ?? "trixie";
}

/** Where the files of a package lie once `unpackPackages` was called. */
export const unpacked = (suite) => join(root, ".private/debian", suite);

/** Unpacks Debian packages privately; false where they cannot be had. */
export function unpackPackages(suite, names) {
  const words = [join(root, "scripts/setup-debian.mjs"), "--suite", suite, ...names];
  return spawnSync(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}

/** The path of qemu-x86_64, unpacked when needed; undefined where it cannot be had. */
export function findQemu() {
  const suite = hostSuite();
  const find = () =>
    ["qemu-x86_64-static", "qemu-x86_64"]
      .map((name) => join(unpacked(suite), "usr/bin", name))
      .find((path) => existsSync(path) && spawnSync(path, ["--version"]).status === 0);
  for (const name of ["qemu-user-static", "qemu-user"]) {
    const found = find();
    if (found) return found;
    unpackPackages(suite, [name]);
  }
  return find();
}

export function buildMeasureTool() {
  mkdirSync(folder, { recursive: true });
  const compiler = process.env.CC ?? "cc";
  const result = spawnSync(compiler, ["-O1", "-o", measureTool, join(root, "bench/measure.c")], { stdio: "inherit" });
  if (result.status !== 0) fail(`${compiler} could not compile bench/measure.c`);
}

/**
 * One run: wall time and processor time (ns), peak memory (KiB) and exit code, which is 124 when `limit` seconds were not
 * enough. Standard output goes to the file `output` or nowhere.
 */
export function measureCommand(command, { output, limit, cwd = folder, env = process.env } = {}) {
  const words = [...(output ? ["-o", output] : []), ...(limit ? ["-t", String(limit)] : []), "--", ...command];
  const { stdout, stderr } = spawnSync(measureTool, words, { cwd, env, encoding: "utf8", maxBuffer: 1e9 });
  const [wall, rss, code, cpu] = stdout.split(" ").map(Number);
  return { wall, rss, code, cpu, stderr };
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function qemuVersion(qemu) {
  if (!qemu) return "none";
  return /version (\S+)/.exec(spawnSync(qemu, ["--version"], { encoding: "utf8" }).stdout)?.[1];
}

/** The machine that the figures are from, for the line above a table. */
export function machineName(qemu) {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${cpus().length} x ${model}, Node ${process.versions.node}, qemu-user ${qemuVersion(qemu)}`;
}

export function warnIfBusy() {
  const load = loadavg()[0];
  if (load <= cpus().length / 2) return;
  console.error(`bench: the host is busy (load ${load.toFixed(1)}); the figures will be those of a slower machine`);
}

/** Exchanges what stands between two marks of docs/status.md. */
export function writeStatus(begin, end, text) {
  const path = join(root, "docs/status.md");
  const before = readFileSync(path, "utf8");
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) fail(`docs/status.md has no place marked ${begin} and ${end}`);
  writeFileSync(path, `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`);
  spawnSync("npx", ["prettier", "--write", path], { cwd: root, stdio: "ignore" });
}
