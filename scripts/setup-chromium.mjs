#!/usr/bin/env node
/**
 * Finds a Chromium for the browser tests, or fetches one into the project without touching the machine:
 *
 *     node scripts/setup-chromium.mjs
 *
 * In order: TRAPGATE_CHROMIUM, a Chromium or Chrome installed on the machine, Debian's chromium-headless-shell with
 * those of its libraries that the machine lacks, unpacked to .private/debian/SUITE. The find is written to
 * .private/chromium.json as { path, libraries } or, where there is none to be had, { reason } with exit code 1.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const record = join(root, ".private/chromium.json");
const PACKAGE = "chromium-headless-shell";
const PROGRAMS = ["chromium", "chromium-browser", PACKAGE, "google-chrome", "google-chrome-stable"];
/** The first with WebAssembly's SIMD. */
const OLDEST_VERSION = 91;

class SetupError extends Error {}

function say(text) {
  console.log(`setup-chromium: ${text}`);
}

/** The major version that a program tells of itself, or undefined where it does not start. */
function versionOf({ path, libraries }) {
  const env = libraries.length > 0 ? { ...process.env, LD_LIBRARY_PATH: libraries.join(delimiter) } : process.env;
  const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8", env, timeout: 30_000 });
  const version = status === 0 ? /\b(\d+)\.\d+\.\d+/.exec(stdout)?.[1] : undefined;
  return version && Number(version);
}

const isUsable = (found) => existsSync(found.path) && (versionOf(found) ?? 0) >= OLDEST_VERSION;

function named() {
  const path = process.env.TRAPGATE_CHROMIUM;
  if (!path) return undefined;
  const found = { path, libraries: [] };
  if (!isUsable(found)) throw new SetupError(`TRAPGATE_CHROMIUM names ${path}, which is no Chromium that starts`);
  return found;
}

function installed() {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return PROGRAMS.flatMap((name) => folders.map((folder) => join(folder, name)))
    .map((path) => ({ path, libraries: [] }))
    .find(isUsable);
}

/** The machine's own suite: what is unpacked must agree with the C library that is there. */
function hostSuite() {
  const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const suite = /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=(\w+)/m.exec(text)?.[1] : undefined;
  if (!suite) throw new SetupError("this machine is no Debian; install Chromium and set TRAPGATE_CHROMIUM to its path");
  return suite;
}

function unpacked(suite) {
  const usr = join(root, ".private/debian", suite, "usr");
  const base = join(usr, "lib/x86_64-linux-gnu");
  // libpulse keeps a part of itself in a folder of its own.
  const libraries = [base, join(base, "pulseaudio")];
  return { path: join(usr, "lib/chromium", PACKAGE), libraries };
}

function unpack(suite, names) {
  const script = join(root, "scripts/setup-debian.mjs");
  const { status } = spawnSync(process.execPath, [script, "--suite", suite, ...names], { stdio: "inherit" });
  if (status !== 0) throw new SetupError(`${names.join(" ")} could not be unpacked; the message is above`);
}

/** What apt would install beside the package on this machine, by the lists that setup-debian has just read. */
function missingPackages(suite) {
  const home = join(root, ".private/apt", suite);
  const settings = {
    "Dir::State": join(home, "state"),
    "Dir::State::status": "/var/lib/dpkg/status",
    "Dir::Cache": join(home, "cache"),
    "Dir::Etc::sourcelist": join(home, "etc/sources.list"),
    "Dir::Etc::sourceparts": join(home, "etc/empty"),
    "Dir::Etc::preferences": join(home, "etc/none"),
    "Dir::Etc::preferencesparts": join(home, "etc/empty"),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const words = [...options, "--simulate", "--no-install-recommends", "install", PACKAGE];
  const { status, stdout, stderr } = spawnSync("apt-get", words, { encoding: "utf8" });
  if (status !== 0) throw new SetupError(`apt-get cannot tell what ${PACKAGE} needs:\n${stdout}${stderr}`.trim());
  return [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name).filter((name) => name !== PACKAGE);
}

function fetched() {
  const suite = hostSuite();
  const found = unpacked(suite);
  if (isUsable(found)) return found;
  unpack(suite, [PACKAGE]);
  const missing = missingPackages(suite);
  if (missing.length > 0) unpack(suite, missing);
  if (isUsable(found)) return found;
  const { stderr } = spawnSync(found.path, ["--version"], {
    encoding: "utf8",
    env: { ...process.env, LD_LIBRARY_PATH: found.libraries.join(delimiter) },
  });
  throw new SetupError(`the unpacked ${PACKAGE} does not start: ${String(stderr).trim().split("\n")[0]}`);
}

/** Chromium without a font shows boxes; the tests pass all the same. */
function noteFonts() {
  const folders = ["/usr/share/fonts", "/usr/local/share/fonts"].filter((path) => existsSync(path));
  if (!folders.some((path) => readdirSync(path).length > 0)) say("the machine has no fonts: pages will show no text");
}

mkdirSync(dirname(record), { recursive: true });
try {
  const found = named() ?? installed() ?? fetched();
  writeFileSync(record, `${JSON.stringify(found)}\n`);
  say(`Chromium ${versionOf(found)} at ${found.path}`);
  noteFonts();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  writeFileSync(record, `${JSON.stringify({ reason: error.message })}\n`);
  console.error(`setup-chromium: ${error.message}`);
  process.exitCode = 1;
}
