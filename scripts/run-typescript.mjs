/** Runs a TypeScript program of this repository in this process, for scripts whose work is done by tested modules. */
import { build } from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param entry path in the repository; its arguments are those of the script */
export async function runTypeScript(entry) {
  const outfile = join(root, "build", entry.replace(/\.ts$/, ".mjs"));
  const place = { name: "place", setup };
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    plugins: [place],
    logLevel: "warning",
  });
  await import(pathToFileURL(outfile).href);
}

/** Files are found from where the sources are, not from where the bundle is. */
function setup(builder) {
  builder.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
    const { readFile } = await import("node:fs/promises");
    const text = await readFile(path, "utf8");
    const contents = text
      .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
      .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
    return { contents, loader: "ts" };
  });
}
