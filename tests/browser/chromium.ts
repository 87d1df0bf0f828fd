/** The Chromium that scripts/setup-chromium.mjs has found, and how it is started. */
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { chromium, type Browser, type LaunchOptions } from "playwright";

export const root = resolve(import.meta.dirname, "../..");
const record = join(root, ".private/chromium.json");

/** A browser that talks to nobody and leaves nothing behind. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

type Found = { readonly path: string; readonly libraries: readonly string[] } | { readonly reason: string };

function find(): Found {
  if (!existsSync(record)) return { reason: "there is no Chromium yet: run `node scripts/setup-chromium.mjs`" };
  const found = JSON.parse(readFileSync(record, "utf8")) as Found;
  if ("path" in found && !existsSync(found.path)) {
    return { reason: `${found.path} is gone: run \`node scripts/setup-chromium.mjs\`` };
  }
  return found;
}

const found = find();

/** Why browser tests cannot run here; undefined where they can. */
export const missing: string | undefined = "reason" in found ? found.reason : undefined;

/** Throws where there is no Chromium. Each start has a profile of its own, which Playwright removes. */
export function launchOptions(): LaunchOptions {
  if ("reason" in found) throw new Error(found.reason);
  const { path, libraries } = found;
  const env = { ...process.env } as Record<string, string>;
  if (libraries.length > 0) env["LD_LIBRARY_PATH"] = libraries.join(delimiter);
  return { executablePath: path, headless: true, args: FLAGS, env };
}

export function launch(): Promise<Browser> {
  return chromium.launch(launchOptions());
}
