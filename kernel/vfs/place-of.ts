/** Where an open file lies, as a path walk needs it. */
import { Dentry } from "./dentry.ts";
import { DEFAULT_ATTRIBUTES, Mount, type Path } from "./mount.ts";
import type { OpenFile } from "./open-file.ts";

/** The file's place, or one made up for a file that never had a name: a pipe, a memfd. */
export function placeOf(file: OpenFile): Path {
  if (file.path) return file.path;
  const { inode } = file;
  const dentry = new Dentry(inode.fs, null, file.description, inode);
  return { mount: new Mount(0, dentry, inode.fs.type, DEFAULT_ATTRIBUTES), dentry };
}
