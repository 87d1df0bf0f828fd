/** Where libunicorn and the addon are: an option, the environment, the project's private copy, the usual places. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Names of the shared library: version 2 of the interface, on Linux and macOS. */
const LIBRARY_NAMES = ["libunicorn.so.2", "libunicorn.2.dylib"];
const SYSTEM_FOLDERS = [
  "/usr/local/lib",
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/usr/lib",
  "/opt/homebrew/lib",
];

/**
 * The folder holding this project's package.json, found upwards from this module: it works from the source tree and
 * from the bundle in bin/. Undefined when the code was moved out of the project.
 */
export function findProjectRoot(from: string = import.meta.url): string | undefined {
  let folder = dirname(fileURLToPath(from));
  for (;;) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && /"name":\s*"trapgate"/.test(readFileSync(manifest, "utf8"))) return folder;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

/** Folders of .private/debian/SUITE with libraries, newest suite name last in the alphabet first. */
function privateFolders(root: string): string[] {
  const suites = join(root, ".private/debian");
  if (!existsSync(suites)) return [];
  return readdirSync(suites)
    .sort((a, b) => Number(b === "trixie") - Number(a === "trixie") || (a < b ? 1 : -1))
    .flatMap((suite) => {
      const libraries = join(suites, suite, "usr/lib");
      if (!existsSync(libraries)) return [];
      return readdirSync(libraries).map((name) => join(libraries, name));
    });
}

/**
 * Paths at which libunicorn may be, best first. A path given by option or TRAPGATE_UNICORN is the only candidate then,
 * so that a wrong one is reported and not worked around.
 */
export function libraryCandidates(option?: string, env: NodeJS.ProcessEnv = process.env): string[] {
  const chosen = option ?? env["TRAPGATE_UNICORN"];
  if (chosen) return [chosen];
  const root = findProjectRoot();
  const folders = [...(root === undefined ? [] : privateFolders(root)), ...SYSTEM_FOLDERS];
  return folders
    .flatMap((folder) => LIBRARY_NAMES.map((name) => join(folder, name)))
    .filter((path) => existsSync(path));
}

/** The path of the compiled addon. Throws an Error saying how to build it when it is not there. */
export function findAddon(option?: string): string {
  const root = findProjectRoot();
  const path = option ?? join(root ?? dirname(fileURLToPath(import.meta.url)), "build/addon/trapgate-unicorn.node");
  if (existsSync(path)) return path;
  throw new Error(`the Unicorn addon is missing at ${path}: build it with \`node scripts/build-addon.mjs\``);
}
