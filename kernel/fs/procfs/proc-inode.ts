/** The kinds of files /proc is made of: directories of fixed names, texts made when they are read, links. */
import { EINVAL, ENOENT, EPERM } from "../../../abi/errno.ts";
import { O_TRUNC } from "../../../abi/fcntl.ts";
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../../abi/stat.ts";
import type { Task } from "../../task/task.ts";
import { fromBytes, toBytes } from "../../vfs/byte-string.ts";
import { Inode, type DirectoryEntry } from "../../vfs/inode.ts";
import type { Path } from "../../vfs/mount.ts";
import { OpenFile, seekTarget } from "../../vfs/open-file.ts";
import type { Transfer } from "../../vfs/transfer.ts";
import type { ProcFs } from "./proc-fs.ts";

/** Longest text one write may bring. */
const WRITE_LIMIT = 65536;

export abstract class ProcInode extends Inode {
  declare readonly fs: ProcFs;

  constructor(fs: ProcFs, mode: number) {
    super(fs, fs.allocateNumber(), mode);
    this.atime = this.mtime = this.ctime = fs.kernel.realtime();
  }

  override get blocks(): number {
    return 0;
  }

  override get blockSize(): number {
    return 1024;
  }

  override setAttributes(): void {
    throw EPERM;
  }
}

/** A directory that makes its entries when they are asked for. */
export abstract class ProcDirectory extends ProcInode {
  private readonly made = new Map<string, Inode>();

  constructor(fs: ProcFs, mode = 0o555) {
    super(fs, S_IFDIR | mode);
    this.nlink = 2;
  }

  /** A new inode for a name, null if there is no such name. */
  protected abstract make(name: string): Inode | null;
  /** The names there are, with their types. */
  abstract override list(task: Task): DirectoryEntry[];

  override lookup(name: string): Inode | null {
    const known = this.made.get(name);
    if (known?.cached) return known;
    const inode = this.make(name);
    if (inode) this.made.set(name, inode);
    else this.made.delete(name);
    return inode;
  }
}

/** Names and what is behind them. */
export type ProcEntries = Readonly<Record<string, (fs: ProcFs) => Inode>>;

/** A directory whose names never change. */
export class ProcFixedDirectory extends ProcDirectory {
  private readonly entries: ReadonlyMap<string, (fs: ProcFs) => Inode>;

  constructor(fs: ProcFs, entries: ProcEntries, mode = 0o555) {
    super(fs, mode);
    this.entries = new Map(Object.entries(entries));
  }

  protected override make(name: string): Inode | null {
    return this.entries.get(name)?.(this.fs) ?? null;
  }

  override list(): DirectoryEntry[] {
    return [...this.entries.keys()].map((name) => {
      const inode = this.lookup(name)!;
      return { name, inode: inode.number, type: inode.mode >> 12 };
    });
  }
}

/** Makes the text for the task that reads it. */
export type ProcText = (reader: Task) => string | Uint8Array;
/** Takes what has been written, without its last newline. */
export type ProcWrite = (writer: Task, text: string) => void;

export class ProcFile extends ProcInode {
  readonly text: ProcText;
  readonly take: ProcWrite | undefined;

  constructor(fs: ProcFs, text: ProcText, mode = 0o444, take?: ProcWrite) {
    super(fs, S_IFREG | mode);
    this.text = text;
    this.take = take;
  }

  override open(_task: Task, path: Path, flags: number): OpenFile {
    return new ProcTextFile(this, path, flags & ~O_TRUNC);
  }

  override truncate(): void {}
}

/** An open text: made at the first read and again at every read from the start. */
class ProcTextFile extends OpenFile {
  declare readonly inode: ProcFile;
  private bytes: Uint8Array | null = null;

  override get seekable(): boolean {
    return true;
  }

  override read(task: Task, to: Transfer): number {
    const count = this.readFrom(task, to, this.position);
    if (count > 0) this.position += count;
    return count;
  }

  override readFrom(task: Task, to: Transfer, position: number): number {
    if (position === 0 || this.bytes === null) {
      const text = this.inode.text(task);
      this.bytes = typeof text === "string" ? toBytes(text) : text;
    }
    if (position >= this.bytes.length || to.remaining === 0) return 0;
    return to.put(this.bytes.subarray(position, position + to.remaining));
  }

  override write(task: Task, from: Transfer): number {
    const count = this.writeTo(task, from, this.position);
    if (count > 0) this.position += count;
    return count;
  }

  override writeTo(task: Task, from: Transfer, position: number): number {
    const { take } = this.inode;
    if (!take) throw EINVAL;
    if (from.remaining > WRITE_LIMIT || position < 0) throw EINVAL;
    const count = from.remaining;
    take(task, fromBytes(from.take()).replace(/[\n\0]+$/, ""));
    return count;
  }

  override seek(_task: Task, offset: number, whence: number): number {
    return (this.position = seekTarget(this.position, 0, offset, whence));
  }

  override truncate(): void {}
}

/** A link whose text depends on who reads it; some jump to a place that the text only describes. */
export class ProcLink extends ProcInode {
  private readonly target: (reader: Task | null) => string;
  private readonly jump: ((task: Task) => Path | null) | undefined;

  constructor(fs: ProcFs, target: (reader: Task | null) => string, jump?: (task: Task) => Path | null) {
    super(fs, S_IFLNK | 0o777);
    this.target = target;
    this.jump = jump;
  }

  override readlink(task: Task | null): string {
    return this.target(task);
  }

  override magicTarget(task: Task): Path | null {
    if (!this.jump) return null;
    const place = this.jump(task);
    if (!place) throw ENOENT;
    return place;
  }
}

/** A number written to a file of /proc/sys. @throws EINVAL */
export function parseNumber(text: string): number {
  const trimmed = text.trim();
  if (!/^-?[0-9]{1,15}$/.test(trimmed)) throw EINVAL;
  return Number(trimmed);
}
