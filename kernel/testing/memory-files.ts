/** A host file system in memory, with the errors a real one would give; for tests of host folders. */
import { EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EBADF, ELOOP } from "../../abi/errno.ts";
import { O_CREAT, O_EXCL } from "../../abi/fcntl.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../abi/stat.ts";
import type { HostDirent, HostFiles, HostStat } from "../world.ts";

interface Node {
  ino: number;
  mode: number;
  nlink: number;
  bytes: Uint8Array;
  target: string;
  entries: Map<string, Node>;
  mtimeMs: number;
}

export class MemoryFiles implements HostFiles {
  /** Names of operations with their paths, in order. */
  readonly log: string[] = [];
  private inodes = 1;
  private readonly root = this.node(S_IFDIR | 0o755);
  private readonly handles = new Map<number, Node>();
  private nextHandle = 3;

  /** Makes a file, a folder (contents null) or a link (contents { link }), with the folders above it. */
  put(path: string, contents: string | null | { link: string }): void {
    const parts = path.split("/").filter(Boolean);
    let at = this.root;
    for (const part of parts.slice(0, -1)) {
      let next = at.entries.get(part);
      if (!next) at.entries.set(part, (next = this.node(S_IFDIR | 0o755)));
      at = next;
    }
    const made =
      contents === null
        ? this.node(S_IFDIR | 0o755)
        : this.node(typeof contents === "string" ? S_IFREG | 0o644 : S_IFLNK | 0o777);
    if (typeof contents === "string") made.bytes = new TextEncoder().encode(contents);
    else if (contents) made.target = contents.link;
    at.entries.set(parts.at(-1)!, made);
  }

  /** What a file holds, undefined if there is none. */
  text(path: string): string | undefined {
    const node = this.find(path, false);
    return typeof node === "number" ? undefined : new TextDecoder().decode(node.bytes);
  }

  get openHandles(): number {
    return this.handles.size;
  }

  lstat(path: string): HostStat | number {
    this.log.push(`lstat ${path}`);
    const node = this.find(path, false);
    return typeof node === "number" ? node : this.statOf(node);
  }

  readlink(path: string): string | number {
    const node = this.find(path, false);
    if (typeof node === "number") return node;
    return (node.mode & S_IFMT) === S_IFLNK ? node.target : -EINVAL.number;
  }

  readdir(path: string): HostDirent[] | number {
    const node = this.find(path, true);
    if (typeof node === "number") return node;
    if ((node.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR.number;
    return [...node.entries].map(([name, entry]) => ({ name, type: entry.mode >> 12 }));
  }

  open(path: string, flags: number, mode: number): number {
    this.log.push(`open ${path}`);
    let node = this.find(path, false);
    if (typeof node !== "number" && (flags & O_EXCL) !== 0) return -EEXIST.number;
    if (node === -ENOENT.number && (flags & O_CREAT) !== 0) {
      const made = this.node(S_IFREG | mode);
      const failed = this.addTo(path, made);
      if (failed !== 0) return failed;
      node = made;
    }
    if (typeof node === "number") return node;
    if ((node.mode & S_IFMT) === S_IFLNK) return -ELOOP.number;
    if ((node.mode & S_IFMT) === S_IFDIR) return -EISDIR.number;
    this.handles.set(this.nextHandle, node);
    return this.nextHandle++;
  }

  close(handle: number): void {
    this.handles.delete(handle);
  }

  fstat(handle: number): HostStat | number {
    const node = this.handles.get(handle);
    return node ? this.statOf(node) : -EBADF.number;
  }

  read(handle: number, into: Uint8Array, position: number): number {
    const node = this.handles.get(handle);
    if (!node) return -EBADF.number;
    const piece = node.bytes.subarray(position, position + into.length);
    into.set(piece);
    return piece.length;
  }

  write(handle: number, from: Uint8Array, position: number): number {
    const node = this.handles.get(handle);
    if (!node) return -EBADF.number;
    if (position + from.length > node.bytes.length) this.resize(node, position + from.length);
    node.bytes.set(from, position);
    node.mtimeMs++;
    return from.length;
  }

  truncate(handle: number, size: number): number {
    const node = this.handles.get(handle);
    if (!node) return -EBADF.number;
    this.resize(node, size);
    node.mtimeMs++;
    return 0;
  }

  sync(): number {
    return 0;
  }

  mkdir(path: string, mode: number): number {
    return this.addTo(path, this.node(S_IFDIR | mode));
  }

  rmdir(path: string): number {
    const node = this.find(path, false);
    if (typeof node === "number") return node;
    if (node.entries.size > 0) return -ENOTEMPTY.number;
    return this.unlink(path);
  }

  unlink(path: string): number {
    const node = this.find(path, false);
    if (typeof node === "number") return node;
    node.nlink--;
    this.parentOf(path)!.entries.delete(nameOf(path));
    return 0;
  }

  symlink(target: string, path: string): number {
    const made = this.node(S_IFLNK | 0o777);
    made.target = target;
    return this.addTo(path, made);
  }

  link(existing: string, path: string): number {
    const node = this.find(existing, false);
    if (typeof node === "number") return node;
    const failed = this.addTo(path, node);
    if (failed === 0) node.nlink++;
    return failed;
  }

  rename(from: string, to: string): number {
    const node = this.find(from, false);
    if (typeof node === "number") return node;
    const target = this.find(to, false);
    if (typeof target !== "number") target.nlink--;
    this.parentOf(from)!.entries.delete(nameOf(from));
    this.parentOf(to)!.entries.set(nameOf(to), node);
    return 0;
  }

  chmod(path: string, mode: number): number {
    const node = this.find(path, true);
    if (typeof node === "number") return node;
    node.mode = (node.mode & S_IFMT) | mode;
    return 0;
  }

  lchown(): number {
    return 0;
  }

  utimes(path: string, _atimeMs: number, mtimeMs: number): number {
    const node = this.find(path, true);
    if (typeof node === "number") return node;
    node.mtimeMs = mtimeMs;
    return 0;
  }

  statfs(): { blockSize: number; blocks: number; free: number; available: number } {
    return { blockSize: 4096, blocks: 1000, free: 500, available: 400 };
  }

  private node(mode: number): Node {
    const ino = this.inodes++;
    return { ino, mode, nlink: 1, bytes: new Uint8Array(0), target: "", entries: new Map(), mtimeMs: 1e12 };
  }

  private statOf(node: Node): HostStat {
    const { ino, mode, nlink, mtimeMs } = node;
    const size = node.bytes.length;
    const ids = { uid: 0, gid: 0, rdev: 0 };
    const times = { atimeMs: mtimeMs, mtimeMs, ctimeMs: mtimeMs };
    return { dev: 99, ino, mode, nlink, ...ids, size, blocks: Math.ceil(size / 512), blksize: 4096, ...times };
  }

  /** As the host's kernel walks: links in the middle are followed, a last one only if asked. */
  private find(path: string, followLast: boolean, depth = 0): Node | number {
    if (depth > 40) return -ELOOP.number;
    let at = this.root;
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    for (const [index, part] of parts.entries()) {
      if ((at.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR.number;
      const next = at.entries.get(part);
      if (!next) return -ENOENT.number;
      const last = index === parts.length - 1;
      if ((next.mode & S_IFMT) === S_IFLNK && (!last || followLast)) {
        const above = parts.slice(0, index).join("/");
        const base = next.target.startsWith("/") ? next.target : `/${above}/${next.target}`;
        return this.find(`${base}/${parts.slice(index + 1).join("/")}`, followLast, depth + 1);
      }
      at = next;
    }
    return at;
  }

  private parentOf(path: string): Node | undefined {
    const parent = this.find(path.slice(0, path.lastIndexOf("/")) || "/", true);
    return typeof parent === "number" ? undefined : parent;
  }

  private addTo(path: string, node: Node): number {
    const parent = this.parentOf(path);
    if (!parent) return -ENOENT.number;
    if (parent.entries.has(nameOf(path))) return -EEXIST.number;
    parent.entries.set(nameOf(path), node);
    return 0;
  }

  private resize(node: Node, size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(node.bytes.subarray(0, size));
    node.bytes = bytes;
  }
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
