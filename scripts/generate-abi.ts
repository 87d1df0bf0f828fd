import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asmInclude, cHeader } from "../abi/generate.ts";

// Writes the headers of guest programs. Run from the top folder:
//   node_modules/.bin/esbuild scripts/generate-abi.ts --bundle --platform=node --format=esm | node --input-type=module
// With "--check" (after a lone "-") it only says whether they are up to date.

const folder = "guest-programs/lib/generated";
const files = { "trapgate-abi.h": cHeader(), "trapgate-abi.inc": asmInclude() };

if (process.argv.includes("--check")) {
  const stale = Object.entries(files).filter(([name, text]) => read(join(folder, name)) !== text);
  for (const [name] of stale) console.error(`${join(folder, name)} is not what abi/ says: run scripts/generate-abi.ts`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
