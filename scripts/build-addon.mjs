#!/usr/bin/env node
/**
 * Compiles the Unicorn addon: emulator/unicorn/native/*.c to build/addon/trapgate-unicorn.node.
 *
 *     node scripts/build-addon.mjs [--force]
 *
 * Needs a C compiler (CC, cc, gcc or clang) and the npm package node-api-headers; libunicorn itself is not needed,
 * the addon opens it at run time. Does nothing when the result is newer than its sources.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, "emulator/unicorn/native");
const headers = join(root, "node_modules/node-api-headers/include");
const output = join(root, "build/addon/trapgate-unicorn.node");

function fail(message) {
  console.error(`build-addon: ${message}`);
  process.exit(1);
}

function isUpToDate(inputs) {
  if (!existsSync(output)) return false;
  const built = statSync(output).mtimeMs;
  return inputs.every((path) => statSync(path).mtimeMs <= built);
}

function findCompiler() {
  const candidates = [process.env.CC, "cc", "gcc", "clang"].filter(Boolean);
  const found = candidates.find((name) => spawnSync(name, ["--version"]).status === 0);
  if (!found) fail("no C compiler found; install gcc or clang (Debian: the package gcc), or set CC to one");
  return found;
}

const files = readdirSync(sources).map((name) => join(sources, name));
if (!process.argv.includes("--force") && isUpToDate([...files, fileURLToPath(import.meta.url)])) {
  console.log("build-addon: build/addon/trapgate-unicorn.node is up to date");
  process.exit(0);
}
if (!existsSync(headers)) fail("node_modules/node-api-headers is missing; run `npm ci` first");

mkdirSync(dirname(output), { recursive: true });
// Under a name of its own first, so that a process running at the same time never loads half a file.
const unfinished = `${output}.${process.pid}`;
const flags = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-fPIC", "-fvisibility=hidden", "-shared"];
const platform = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : ["-ldl"];
const inputs = files.filter((path) => path.endsWith(".c"));
const compiler = findCompiler();
const result = spawnSync(compiler, [...flags, "-I", headers, "-o", unfinished, ...inputs, ...platform], {
  stdio: "inherit",
});
if (result.status !== 0) fail(`${compiler} could not compile the addon; its messages are above`);
renameSync(unfinished, output);
console.log("build-addon: built build/addon/trapgate-unicorn.node");
