/** Translations kept in files, for the next start of the same program: emulator/wasm/cache says what they are. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { TranslationStore } from "../../emulator/wasm/cache/translation-store.ts";

/** With more files than this the folder is emptied: about 200 MB. */
const MOST_FILES = 8_000;

/**
 * One file for each key in a folder, written whole and then renamed, so that machines may share it. A folder that cannot be
 * read or written is as good as an empty one.
 */
export class TranslationFiles implements TranslationStore {
  private readonly folder: string;
  private ready = false;

  constructor(folder: string) {
    this.folder = folder;
  }

  get(key: string): Uint8Array | undefined {
    try {
      return readFileSync(join(this.folder, key));
    } catch {
      return undefined;
    }
  }

  put(key: string, value: Uint8Array): void {
    try {
      this.prepare();
      const file = join(this.folder, key);
      const unfinished = `${file}.${process.pid}`;
      writeFileSync(unfinished, value);
      renameSync(unfinished, file);
    } catch {
      // A full disk or a read-only home costs time at the next start, nothing else.
    }
  }

  private prepare(): void {
    if (this.ready) return;
    this.ready = true;
    mkdirSync(this.folder, { recursive: true });
    if (readdirSync(this.folder).length > MOST_FILES) {
      rmSync(this.folder, { recursive: true, force: true });
      mkdirSync(this.folder, { recursive: true });
    }
  }
}

/**
 * The folder for translations of this build of the program, under the user's cache folder (XDG Base Directory
 * Specification). Translations of other builds may differ, so each has its own.
 *
 * @param program the file that holds the engine's code
 */
export function translationFolder(program: string): string | undefined {
  try {
    const { size, mtimeMs } = statSync(program);
    const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
    return join(caches, "trapgate", `translations-${size}-${Math.floor(mtimeMs)}`);
  } catch {
    return undefined;
  }
}
