/** A symbolic link whose target is known text (symlink(7)). */
import { S_IFLNK } from "../../abi/stat.ts";
import type { FileSystem } from "../vfs/file-system.ts";
import { Inode } from "../vfs/inode.ts";

export class SymlinkInode extends Inode {
  private readonly target: string;

  constructor(fs: FileSystem, number: number, target: string) {
    super(fs, number, S_IFLNK | 0o777);
    this.target = target;
  }

  override get size(): number {
    return this.target.length;
  }

  override readlink(): string {
    return this.target;
  }
}
