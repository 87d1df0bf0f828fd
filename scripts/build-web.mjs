#!/usr/bin/env node
/**
 * Builds the browser's side into build/web: the page with its scripts, and root.tar, the file system of its machines
 * with busybox in /bin and the guest programs in /guests.
 *
 *     node scripts/build-web.mjs [--serve [PORT]]
 *
 * --serve stays and serves the page on 127.0.0.1 (port 8086 unless another is given; 0 takes any that is free).
 */
import { context } from "esbuild";
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildKernels, kernelPath, kernels } from "../bench/cpu/kernels.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const web = join(root, "build/web");
const stage = join(root, "build/web-root");
const busybox = ["usr/bin/busybox", "bin/busybox"]
  .map((path) => join(root, ".private/debian/trixie", path))
  .find((path) => existsSync(path));

/** What iced-x86 asks of Node when it is loaded, for a bundle: its wasm file comes as bytes in the script. */
const NODE_MODULES = {
  util: "module.exports = { TextDecoder, TextEncoder };",
  path: "module.exports = { join: (folder, name) => name };",
  fs: `module.exports = { readFileSync: () => require("iced-x86/iced_x86_bg.wasm") };`,
};

const icedInBrowser = {
  name: "iced-x86",
  setup(build) {
    build.onResolve({ filter: /^(util|path|fs)$/ }, ({ path, importer }) =>
      basename(importer) === "iced_x86.js" ? { path, namespace: "for-iced" } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "for-iced" }, ({ path }) => ({
      contents: NODE_MODULES[path],
      resolveDir: root,
    }));
  },
};

const options = {
  absWorkingDir: root,
  outdir: web,
  entryPoints: [
    { in: "web/main.ts", out: "main" },
    { in: "web/worker.ts", out: "worker" },
    { in: "web/style.css", out: "style" },
    // For the contract tests, which are not bundled.
    { in: "web/iced.ts", out: "iced-x86" },
  ],
  bundle: true,
  platform: "browser",
  format: "esm",
  target: ["chrome100", "firefox100", "safari16"],
  define: { __dirname: '""' },
  loader: { ".wasm": "binary" },
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "linked",
  plugins: [icedInBrowser],
  logLevel: "warning",
};

function fail(message) {
  console.error(`build-web: ${message}`);
  process.exit(1);
}

function run(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) fail(`${program} ${args[0]} failed: ${error?.message ?? stderr}`);
  return stdout;
}

/** The same files give the same bytes. */
function buildRoot() {
  if (!busybox) fail("busybox is missing: run `make setup`");
  const guests = join(root, "build/guests");
  if (!existsSync(guests)) fail("the guest programs are missing: run `make guests`");
  rmSync(stage, { recursive: true, force: true });
  for (const name of ["bin", "dev", "proc", "root", "tmp", "etc"]) mkdirSync(join(stage, name), { recursive: true });
  copyFileSync(busybox, join(stage, "bin/busybox"));
  for (const applet of run(busybox, ["--list"]).split("\n").filter(Boolean)) {
    if (applet !== "busybox") symlinkSync("busybox", join(stage, "bin", applet));
  }
  const isForPages = (path) => !["conformance", "bad-input"].includes(basename(path));
  cpSync(guests, join(stage, "guests"), { recursive: true, filter: isForPages });
  buildKernels();
  mkdirSync(join(stage, "guests/bench/kernels"), { recursive: true });
  for (const kernel of kernels) copyFileSync(kernelPath(kernel), join(stage, "guests/bench/kernels", kernel.name));
  copyFileSync(join(root, "LICENSE"), join(stage, "root/LICENSE"));
  const same = ["--format=ustar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  run("tar", ["-c", ...same, "-f", join(web, "root.tar"), "-C", stage, "."]);
}

const { values, positionals } = parseArgs({ options: { serve: { type: "boolean" } }, allowPositionals: true });
const port = Number(positionals[0] ?? 8086);
if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`${positionals[0]} is no port`);
mkdirSync(web, { recursive: true });
const builder = await context(options);
try {
  await builder.rebuild();
} catch {
  fail("the scripts could not be bundled; esbuild's messages are above");
}
copyFileSync(join(root, "web/index.html"), join(web, "index.html"));
buildRoot();
if (values.serve) {
  const server = await builder.serve({ host: "127.0.0.1", port, servedir: web });
  console.log(`http://127.0.0.1:${server.port}/`);
} else {
  await builder.dispose();
  console.log("build-web: build/web is ready; `make web` serves it");
}
