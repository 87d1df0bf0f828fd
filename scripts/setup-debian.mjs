#!/usr/bin/env node
/**
 * Fetches Debian packages into the project without touching the machine:
 *
 *     node scripts/setup-debian.mjs [--suite trixie] [--force] PACKAGE...
 *
 * apt does the work, with its lists and caches under .private/apt/SUITE, and verifies every signature as usual; the
 * packages (not their dependencies) are unpacked to .private/debian/SUITE. No root is needed. The mirror and the keyring
 * are those of the machine's own Debian entry, with the suite exchanged; TRAPGATE_DEBIAN_MIRROR names another mirror.
 *
 * libunicorn2 is skipped when TRAPGATE_UNICORN is set or the machine has a libunicorn of at least 2.1.1 installed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const KEYRINGS = ["gpg", "pgp"].map((suffix) => `/usr/share/keyrings/debian-archive-keyring.${suffix}`);
const OLDEST_UNICORN = [2, 1, 1];

/** A failure whose message says all there is to say. */
class SetupError extends Error {}

function say(text) {
  console.log(`setup-debian: ${text}`);
}

/** Runs a command; throws a SetupError with what it printed when it fails. */
function command(program, args, cwd = root) {
  const result = spawnSync(program, args, { cwd, encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  if (result.error)
    throw new SetupError(`${program} could not be run (${result.error.message}); this script needs a Debian machine`);
  if (result.status !== 0)
    throw new SetupError(`${program} ${args.at(-1)} failed:\n${result.stdout}${result.stderr}`.trim());
  return result.stdout;
}

/** The machine's Debian entries as { uri, suite, keyring? }, from both formats of apt sources. */
function machineSources() {
  const folder = "/etc/apt/sources.list.d";
  const extra = existsSync(folder) ? readdirSync(folder).sort() : [];
  const files = ["/etc/apt/sources.list", ...extra.map((name) => join(folder, name))].filter((path) =>
    existsSync(path),
  );
  return files.flatMap((path) => {
    const text = readFileSync(path, "utf8");
    if (path.endsWith(".sources")) return text.split(/\n\s*\n/).flatMap(parseStanza);
    return path.endsWith(".list") ? text.split("\n").flatMap(parseOneLine) : [];
  });
}

function parseStanza(stanza) {
  const field = (name) => new RegExp(`^${name}:\\s*(.+)$`, "im").exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
  if (!field("Types").includes("deb") || field("Enabled")[0] === "no") return [];
  const keyring = field("Signed-By")[0];
  return field("URIs").flatMap((uri) => field("Suites").map((suite) => ({ uri, suite, keyring })));
}

function parseOneLine(line) {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s/.exec(`${line} `);
  if (!match) return [];
  return [{ uri: match[2], suite: match[3], keyring: /signed-by=(\S+)/i.exec(match[1] ?? "")?.[1] }];
}

/** The machine's entry for Debian's main archive: { uri, suite, keyring }. */
function debianSource() {
  const mirror = process.env.TRAPGATE_DEBIAN_MIRROR;
  const source = machineSources().find(({ uri, suite }) => /\/debian\/?$/.test(uri) && !/[-/]/.test(suite));
  if (!source && !mirror) {
    throw new SetupError(
      "this machine's apt sources have no entry for a Debian mirror; set TRAPGATE_DEBIAN_MIRROR to the address of one," +
        " or install the packages yourself (for libunicorn: version 2.1.1 or newer, and set TRAPGATE_UNICORN to its path)",
    );
  }
  const keyring = [source?.keyring, ...KEYRINGS].find((path) => path?.startsWith("/") && existsSync(path));
  if (!keyring) throw new SetupError("Debian's archive keyring is missing; install the package debian-archive-keyring");
  return { uri: mirror ?? source.uri, suite: source?.suite, keyring };
}

/** Prepares .private/apt/SUITE and returns the options that make apt use it alone. */
function privateApt(suite, { uri, keyring }) {
  const home = join(root, ".private/apt", suite);
  for (const part of ["etc/empty", "state/lists/partial", "cache/archives/partial", "packages"]) {
    mkdirSync(join(home, part), { recursive: true });
  }
  writeFileSync(join(home, "status"), "");
  writeFileSync(join(home, "etc/sources.list"), `deb [signed-by=${keyring}] ${uri} ${suite} main\n`);
  const settings = {
    "Dir::State": join(home, "state"),
    "Dir::State::status": join(home, "status"),
    "Dir::Cache": join(home, "cache"),
    "Dir::Etc::sourcelist": join(home, "etc/sources.list"),
    "Dir::Etc::sourceparts": join(home, "etc/empty"),
    "Dir::Etc::preferences": join(home, "etc/none"),
    "Dir::Etc::preferencesparts": join(home, "etc/empty"),
    "Acquire::Languages": "none",
    "APT::Sandbox::User": "",
    "APT::Get::List-Cleanup": "false",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  return { home, options: ["-q", ...options] };
}

/** Fetches the lists of a suite. When its signing key is newer than the machine, gets the key from the machine's suite. */
function updateLists(suite, source) {
  const { options } = privateApt(suite, source);
  say(`reading the package lists of ${suite}`);
  try {
    command("apt-get", [...options, "--error-on=any", "update"]);
    return source;
  } catch (error) {
    if (!/NO_PUBKEY/.test(error.message) || !source.suite || source.suite === suite) throw error;
  }
  say(
    `the machine does not know the key of ${suite}; fetching debian-archive-keyring from ${source.suite}, signed by a key it knows`,
  );
  fetchPackages(source.suite, ["debian-archive-keyring"], source);
  const folder = join(root, ".private/debian", source.suite);
  const keyring = KEYRINGS.map((path) => folder + path).find((path) => existsSync(path));
  const renewed = { ...source, keyring };
  command("apt-get", [...privateApt(suite, renewed).options, "--error-on=any", "update"]);
  return renewed;
}

function stampPath(suite, name) {
  return join(root, ".private/debian", suite, ".packages", name);
}

/** Debian renamed libraries in its move to 64-bit time: libunicorn2 is libunicorn2t64 from trixie on. */
function realName(name, options) {
  const known = (candidate) => /Candidate: [^(]/.test(command("apt-cache", [...options, "policy", candidate]));
  const found = [name, `${name}t64`].find(known);
  if (!found) throw new SetupError(`this suite has no package ${name}; look for its name with apt-cache search`);
  return found;
}

function fetchPackages(suite, names, source) {
  const { home, options } = privateApt(suite, updateLists(suite, source));
  const target = join(root, ".private/debian", suite);
  mkdirSync(join(target, ".packages"), { recursive: true });
  for (const name of names) {
    const folder = join(home, "packages", name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    say(`downloading ${name} from ${suite}`);
    command("apt-get", [...options, "download", realName(name, options)], folder);
    const file = readdirSync(folder).find((entry) => entry.endsWith(".deb"));
    if (!file) throw new SetupError(`apt-get downloaded nothing for ${name}`);
    say(`unpacking ${file} to .private/debian/${suite}`);
    command("dpkg-deb", ["-x", join(folder, file), target]);
    writeFileSync(stampPath(suite, name), `${file}\n`);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Says where a usable libunicorn outside the project is, or undefined. */
function foreignUnicorn() {
  const named = process.env.TRAPGATE_UNICORN;
  if (named) {
    if (!existsSync(named)) throw new SetupError(`TRAPGATE_UNICORN names ${named}, which does not exist`);
    return `TRAPGATE_UNICORN=${named}`;
  }
  for (const [program, ...args] of [
    ["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Version}", "libunicorn2"],
    ["pkg-config", "--modversion", "unicorn"],
  ]) {
    const { status, stdout } = spawnSync(program, args, { encoding: "utf8" });
    const version = status === 0 ? /(\d+)\.(\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) : undefined;
    if (version && !/^[^i\d]/.test(stdout) && atLeast(version, OLDEST_UNICORN))
      return `installed version ${version.join(".")}`;
  }
  return undefined;
}

function atLeast(version, wanted) {
  const index = version.findIndex((part, i) => part !== wanted[i]);
  return index < 0 || version[index] > wanted[index];
}

function main() {
  const { values, positionals } = parseArgs({
    options: { suite: { type: "string", default: "trixie" }, force: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const bad = [values.suite, ...positionals].find((name) => !/^[a-z0-9][a-z0-9+.-]*$/.test(name));
  if (bad !== undefined) throw new SetupError(`${bad} is not a name of a Debian suite or package`);
  if (positionals.length === 0) throw new SetupError("name at least one package, such as libunicorn2");
  const missing = positionals.filter((name) => {
    const stamp = stampPath(values.suite, name);
    if (values.force) return true;
    if (existsSync(stamp)) say(`${readFileSync(stamp, "utf8").trim()} is there already`);
    else if (name === "libunicorn2" && foreignUnicorn()) say(`libunicorn2 is not needed: ${foreignUnicorn()}`);
    else return true;
    return false;
  });
  if (missing.length > 0) fetchPackages(values.suite, missing, debianSource());
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError) && error.code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION") throw error;
  console.error(`setup-debian: ${error.message}`);
  process.exitCode = 1;
}
