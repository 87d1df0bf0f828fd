#!/usr/bin/env node
// Builds the guest programs: ordinary static x86-64 Linux programs, without a C library.
//
//   guest-programs/NAME/*.s | *.c              -> build/guests/NAME
//   guest-programs/bench/NAME.c                -> build/guests/bench/NAME
//   tests/conformance/programs/TOPIC/NAME.c    -> build/guests/conformance/TOPIC/NAME
//   tests/bad-input/programs/NAME.c            -> build/guests/bad-input/NAME
//
// Only what is older than its sources (or than the flags in this file) is built again. `--clean` removes the products first.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "build/guests");
const objects = join(root, "build/guest-objects");
const guestPrograms = join(root, "guest-programs");
const conformance = join(root, "tests/conformance");
const badInput = join(root, "tests/bad-input/programs");
const guestLib = join(guestPrograms, "lib");
const tapLib = join(conformance, "lib");

const compiler = process.env.GUEST_CC ?? "gcc";
const assembler = process.env.GUEST_AS ?? "as";

// Non-PIE and static, so that every address is below 4 GiB: clone_struct has only 32 bits for its tid pointers.
// -march=x86-64 keeps to what every engine has. Loops must not become calls to memset, which is itself such a loop.
const compileFlags = [
  "-std=gnu11 -Wall -Wextra -march=x86-64 -ffreestanding -fno-stack-protector -fno-pic -no-pie -fcf-protection=none",
  "-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -ffunction-sections -fdata-sections -g",
]
  .join(" ")
  .split(" ");
const linkFlags = "-static -nostdlib -no-pie -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack".split(" ");

function list(folder, pattern) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function folders(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name))
    .sort();
}

// One step makes `product` from `sources` and must run again when anything in `watched` is newer.
function planCompile(source, object, includes, optimize, watched) {
  const isAssembly = source.endsWith(".s");
  const include = includes.flatMap((folder) => ["-I", folder]);
  const command = isAssembly
    ? [assembler, "--64", ...include, "-o", object, source]
    : [compiler, ...compileFlags, optimize, ...include, "-c", "-o", object, source];
  return { product: object, sources: [source, ...watched], command };
}

function planLink(product, parts) {
  return { product, sources: parts, command: [compiler, ...linkFlags, "-o", product, ...parts] };
}

function plan() {
  const headers = [...list(guestLib, /\.(h|inc)$/), ...list(join(guestLib, "generated"), /\.(h|inc)$/)];
  const tapHeaders = [...headers, ...list(tapLib, /\.h$/)];
  const compiles = [];
  const links = [];
  const compile = (source, includes, optimize, watched) => {
    const object = join(objects, relative(root, source).replace(/\.[cs]$/, ".o"));
    compiles.push(planCompile(source, object, includes, optimize, watched));
    return object;
  };

  const guestParts = list(guestLib, /\.c$/).map((source) => compile(source, [guestLib], "-O1", headers));
  const tapParts = list(tapLib, /\.c$/).map((source) => compile(source, [tapLib, guestLib], "-O1", tapHeaders));

  for (const folder of folders(guestPrograms)) {
    const name = basename(folder);
    if (name === "lib") continue;
    const sources = list(folder, /\.[cs]$/);
    const watched = [...headers, ...list(folder, /\.h$/)];
    if (name === "bench") {
      for (const source of sources)
        links.push(
          planLink(join(out, "bench", basename(source, ".c")), [
            compile(source, [guestLib], "-O2", watched),
            ...guestParts,
          ]),
        );
      continue;
    }
    const parts = sources.map((source) => compile(source, [guestLib], "-O1", watched));
    const hasC = sources.some((source) => source.endsWith(".c"));
    if (parts.length > 0) links.push(planLink(join(out, name), hasC ? [...parts, ...guestParts] : parts));
  }

  for (const source of list(badInput, /\.c$/)) {
    const object = compile(source, [guestLib], "-O1", headers);
    links.push(planLink(join(out, "bad-input", basename(source, ".c")), [object, ...guestParts]));
  }

  const programs = join(conformance, "programs");
  const everyProgram = folders(programs).flatMap((folder) => list(folder, /\.[ch]$/));
  for (const folder of folders(programs))
    for (const source of list(folder, /\.c$/)) {
      const object = compile(source, [tapLib, guestLib], "-O1", [...tapHeaders, ...everyProgram]);
      const product = join(out, "conformance", basename(folder), basename(source, ".c"));
      links.push(planLink(product, [object, ...tapParts, ...guestParts]));
    }
  return { compiles, links };
}

const modified = (path) => statSync(path).mtimeMs;

function isStale(step) {
  if (!existsSync(step.product)) return true;
  const made = modified(step.product);
  return modified(fileURLToPath(import.meta.url)) > made || step.sources.some((source) => modified(source) > made);
}

function runStep(step) {
  mkdirSync(dirname(step.product), { recursive: true });
  return new Promise((resolve) => {
    const child = spawn(step.command[0], step.command.slice(1), { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", (error) => resolve(`${step.command[0]}: ${error.message}`));
    child.on("close", (code) =>
      resolve(code === 0 ? null : `${relative(root, step.product)}: ${step.command[0]} failed (exit code ${code})`),
    );
  });
}

// Runs the steps that are out of date, a few at a time, and gives how many there were.
async function runStale(steps) {
  const stale = steps.filter(isStale);
  const queue = [...stale];
  const failures = [];
  const worker = async () => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      const failure = await runStep(step);
      if (failure) failures.push(failure);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  if (failures.length > 0) {
    for (const failure of failures) console.error(`build-guests: ${failure}`);
    process.exit(1);
  }
  return stale.length;
}

function requireTool(tool, variable, crossTool) {
  const result = spawnSync(tool, ["--version"], { encoding: "utf8" });
  if (!result.error && result.status === 0) return;
  console.error(
    `build-guests: cannot run "${tool}" (${result.error?.message ?? `exit code ${result.status}`}).\n` +
      `The guest programs need a C compiler and an assembler for x86-64: on Debian "apt-get install gcc binutils", ` +
      `or set ${variable} to a cross tool such as ${crossTool}.`,
  );
  process.exit(1);
}

function requireX8664() {
  const result = spawnSync(compiler, ["-dumpmachine"], { encoding: "utf8" });
  if (/^(x86_64|amd64)/.test(result.stdout ?? "")) return;
  console.error(
    `build-guests: "${compiler}" makes programs for ${result.stdout?.trim() || "another machine"}; set GUEST_CC and GUEST_AS ` +
      `to tools for x86-64 (for example x86_64-linux-gnu-gcc and x86_64-linux-gnu-as).`,
  );
  process.exit(1);
}

for (const argument of process.argv.slice(2)) {
  if (argument === "--clean") {
    rmSync(out, { recursive: true, force: true });
    rmSync(objects, { recursive: true, force: true });
  } else {
    console.error(`build-guests: unknown argument "${argument}"; the only one known is --clean`);
    process.exit(2);
  }
}
requireTool(compiler, "GUEST_CC", "x86_64-linux-gnu-gcc");
requireTool(assembler, "GUEST_AS", "x86_64-linux-gnu-as");
requireX8664();
const { compiles, links } = plan();
const compiled = await runStale(compiles);
const linked = await runStale(links);
console.log(
  compiled + linked === 0
    ? `guests: ${links.length} programs are up to date in ${relative(process.cwd(), out) || out}`
    : `guests: ${links.length} programs in ${relative(process.cwd(), out) || out} (${compiled} compiled, ${linked} linked)`,
);
