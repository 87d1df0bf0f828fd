/** Finds test programs: files as they are named, and in folders everything that can be executed. */
import { closeSync, openSync, readdirSync, readSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

/** Names of the programs below a folder of the host, relative to it, in order. */
export function programsIn(folder: string): string[] {
  const found: string[] = [];
  const visited = new Set<string>();
  const visit = (path: string, name: string): void => {
    const real = realpathSync(path);
    if (visited.has(real)) return;
    visited.add(real);
    for (const entry of readdirSync(path).sort()) {
      if (entry.startsWith(".")) continue;
      const inner = join(path, entry);
      const stats = statSync(inner, { throwIfNoEntry: false });
      if (stats?.isDirectory()) visit(inner, `${name}${entry}/`);
      else if (stats?.isFile() && (stats.mode & 0o111) !== 0 && isProgram(inner, entry)) found.push(`${name}${entry}`);
    }
  };
  visit(folder, "");
  return found;
}

/** An ELF file that is no library, or a script. */
function isProgram(path: string, name: string): boolean {
  if (/\.(so(\.\d+)*|o|a|ko)$/.test(name)) return false;
  const head = Buffer.alloc(4);
  let handle: number | undefined;
  try {
    handle = openSync(path, "r");
    readSync(handle, head, 0, 4, 0);
  } catch {
    return false;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
  const text = head.toString("latin1");
  return text === "\x7fELF" || text.startsWith("#!");
}
