#!/usr/bin/env node
/**
 * Shows that nothing native is needed: what git knows of this folder is copied elsewhere, the npm packages are installed
 * there, and guest programs are run by `npx trapgate`, all with a PATH that has neither a compiler nor make, and without
 * libunicorn. Their output must be what the host's own Linux makes of the same files.
 *
 *     node scripts/check-no-native.mjs [--link]
 *
 * --link takes the packages of this folder instead of `npm ci`: quicker, and nothing is fetched.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const GUESTS = ["hello", "pipes", "signals"];
/** All that the PATH of the check has. */
const COMMANDS = ["node", "npm", "npx", "sh", "env"];

const scratch = mkdtempSync(join(tmpdir(), "trapgate-no-native-"));
try {
  check();
} catch (error) {
  console.error(`check-no-native: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function check() {
  const project = join(scratch, "project");
  const bare = makeBarePath();
  copyTrackedFiles(project);
  if (process.argv.includes("--link")) symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
  else {
    run("npm ci", bare.npm, ["ci", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: project, env: bare.env });
    console.log("check-no-native: npm ci: ok");
  }
  // npx remembers where it found the command: in a cache that goes with this check.
  const env = { ...bare.env, npm_config_cache: join(scratch, "npm-cache") };
  const npx = (words) => spawn(bare.npx, ["--no-install", "trapgate", "run", ...words], { cwd: project, env });
  for (const name of GUESTS) {
    const guest = join(root, "build/guests", name);
    if (!existsSync(guest)) throw new Error(`${guest} is missing: run \`make guests\``);
    const [native, ours] = [spawn(guest, [], {}), npx([guest])];
    if (ours.status !== native.status || ours.stdout !== native.stdout)
      throw new Error(`npx trapgate run ${name} gave ${ours.status}:\n${ours.stdout}${ours.stderr}`);
    console.log(`check-no-native: npx trapgate run ${name}: as on the host, exit code ${ours.status}`);
  }
  const refused = npx(["--engine=unicorn", join(root, "build/guests/hello")]);
  if (refused.status !== 125 || !refused.stderr.includes("the Unicorn addon is missing"))
    throw new Error(`Unicorn was not missing: ${refused.status}\n${refused.stdout}${refused.stderr}`);
  console.log("check-no-native: there was no Unicorn");
}

/** A folder that is the whole PATH. */
function makeBarePath() {
  const folder = join(scratch, "path");
  mkdirSync(folder);
  for (const name of COMMANDS) symlinkSync(name === "node" ? process.execPath : find(name), join(folder, name));
  const { HOME } = process.env;
  const env = { PATH: folder, TRAPGATE_UNICORN: "/nowhere/libunicorn.so.2", ...(HOME && { HOME }) };
  return { env, npm: join(folder, "npm"), npx: join(folder, "npx") };
}

function find(name) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const folder = folders.find((candidate) => existsSync(join(candidate, name)));
  if (folder === undefined) throw new Error(`there is no ${name} in the PATH`);
  return realpathSync(join(folder, name));
}

/** As they are now, with those that are not committed yet. */
function copyTrackedFiles(target) {
  const listed = run("git ls-files", "git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
  });
  for (const name of new Set(listed.split("\0").filter(Boolean))) {
    // A file may be known and deleted.
    if (existsSync(join(root, name))) cpSync(join(root, name), join(target, name));
  }
}

function spawn(command, words, options) {
  return spawnSync(command, words, { ...options, encoding: "utf8", timeout: 300_000, maxBuffer: 1 << 26 });
}

/** Its standard output. */
function run(title, command, words, options) {
  const { status, stdout, stderr, error } = spawn(command, words, options);
  if (status !== 0) throw new Error(`${title} failed: ${error?.message ?? stderr.trim()}`);
  return stdout;
}
