/** The file systems a machine starts with: a root, what is mounted in it, and the first process's place there. */
import { Errno } from "../../abi/errno.ts";
import { S_IFDIR, S_IFREG } from "../../abi/stat.ts";
import { createDevFs } from "../fs/devfs.ts";
import { HostAccess } from "../fs/hostfs/host-access.ts";
import { HostFs } from "../fs/hostfs/host-fs.ts";
import { ProcFs } from "../fs/procfs/proc-fs.ts";
import { unpackTar } from "../fs/tar.ts";
import { TmpFs } from "../fs/tmpfs.ts";
import { INITIAL_INODES, type Kernel } from "../kernel.ts";
import type { FileSystem } from "./file-system.ts";
import { FsContext } from "./fs-context.ts";
import { crossMounts, MountNamespace, type Path } from "./mount.ts";

export type RootOption =
  | { kind: "tmpfs" }
  | { kind: "host"; path: string; writable: boolean }
  /** An archive in ustar, GNU or pax format, not compressed. */
  | { kind: "tar"; bytes: Uint8Array };

export interface Bind {
  /** Host path of a folder or file. */
  host: string;
  guest: string;
  writable: boolean;
}

export interface FileSystemOptions {
  root: RootOption;
  binds: readonly Bind[];
  /** Mount /proc, /dev, /tmp. */
  proc: boolean;
  dev: boolean;
  tmp: boolean;
  /** Working directory of the first process. */
  cwd: string;
}

/** A wish of the user's that cannot be met; the message says which. */
export class SetUpError extends Error {}

/** @throws SetUpError */
export function setUpFileSystems(
  kernel: Kernel,
  options: FileSystemOptions,
): { namespace: MountNamespace; fs: FsContext } {
  const namespace = new MountNamespace(INITIAL_INODES.mount, kernel.initUserNamespace);
  const rootFs = createRoot(kernel, options.root);
  namespace.setRoot(rootFs.rootDentry, sourceOf(options.root));
  if (options.dev) mountAt(namespace, createDevFs(kernel), "/dev", "devtmpfs");
  if (options.proc) mountAt(namespace, new ProcFs(kernel, kernel.initPidNamespace), "/proc", "proc");
  if (options.tmp) mountAt(namespace, new TmpFs(kernel, { mode: 0o1777 }), "/tmp", "tmpfs");
  for (const bind of options.binds) {
    const fs = hostFs(kernel, bind.host, bind.writable);
    mountAt(namespace, fs, bind.guest, bind.host);
  }
  const root = crossMounts(namespace.root.rootPath);
  const cwd = find(root, options.cwd);
  if (!cwd?.dentry.inode.isDirectory)
    throw new SetUpError(`${options.cwd}: no such directory in the guest (working directory)`);
  return { namespace, fs: new FsContext(root, cwd) };
}

const sourceOf = (root: RootOption): string =>
  root.kind === "host" ? root.path : root.kind === "tar" ? "tar" : "rootfs";

function createRoot(kernel: Kernel, root: RootOption): FileSystem {
  switch (root.kind) {
    case "host":
      return hostFs(kernel, root.path, root.writable);
    case "tmpfs":
      return baseTmpFs(kernel);
    case "tar": {
      const fs = new TmpFs(kernel, { mode: 0o755 });
      unpackTar(root.bytes, fs);
      return fs;
    }
  }
}

/** An empty root has at least the directories everyone expects. */
function baseTmpFs(kernel: Kernel): TmpFs {
  const fs = new TmpFs(kernel, { mode: 0o755 });
  for (const name of ["dev", "proc", "tmp", "root"]) {
    fs.root.create(name, {
      mode: S_IFDIR | (name === "tmp" ? 0o1777 : name === "root" ? 0o700 : 0o755),
      uid: 0,
      gid: 0,
    });
  }
  return fs;
}

const accesses = new WeakMap<Kernel, HostAccess>();

function hostFs(kernel: Kernel, path: string, writable: boolean): HostFs {
  const { files } = kernel.world;
  if (!files) throw new SetUpError(`${path}: this machine has no host file system`);
  let access = accesses.get(kernel);
  if (!access) accesses.set(kernel, (access = new HostAccess(files)));
  try {
    return new HostFs(kernel, access, path, writable);
  } catch (error) {
    if (error instanceof Errno) throw new SetUpError(`${path}: ${error.text}`);
    throw error;
  }
}

function mountAt(namespace: MountNamespace, fs: FileSystem, path: string, source: string): void {
  const place = mountPoint(crossMounts(namespace.root.rootPath), path, fs.root.isDirectory);
  if (place.dentry.inode.isDirectory !== fs.root.isDirectory) {
    throw new SetUpError(`${path}: cannot mount a ${fs.root.isDirectory ? "folder on a file" : "file on a folder"}`);
  }
  namespace.mount(fs.rootDentry, place, source);
}

/** The place to mount on; in a file system in memory it is made if it does not exist. @throws SetUpError */
function mountPoint(root: Path, path: string, isDirectory: boolean): Path {
  let at = root;
  const parts = path.split("/").filter((part) => part !== "");
  for (const [index, part] of parts.entries()) {
    const next = step(at, part);
    if (next) {
      at = next;
      continue;
    }
    const { fs } = at.mount;
    if (!(fs instanceof TmpFs)) {
      throw new SetUpError(
        `${path}: no such file or directory in the guest's root, and it cannot be made there; mount on an existing one`,
      );
    }
    const leaf = index === parts.length - 1 && !isDirectory;
    const node = { mode: leaf ? S_IFREG | 0o644 : S_IFDIR | 0o755, uid: 0, gid: 0 };
    const inode = at.dentry.inode.create(part, node);
    at = { mount: at.mount, dentry: at.dentry.add(part, inode) };
  }
  return at;
}

function find(root: Path, path: string): Path | null {
  let at: Path | null = root;
  for (const part of path.split("/")) if (at && part !== "" && part !== ".") at = step(at, part);
  return at;
}

/** One component down, following a symbolic link in the guest's tree. */
function step(at: Path, name: string, depth = 0): Path | null {
  const { dentry } = at;
  if (!dentry.inode.isDirectory) return null;
  const child = dentry.child(name);
  if (!child) return null;
  if (!child.inode.isSymlink) return crossMounts({ mount: at.mount, dentry: child });
  if (depth > 40) return null;
  return followLink(at, child.inode.readlink(null), depth);
}

function followLink(at: Path, target: string, depth: number): Path | null {
  let place: Path | null = target.startsWith("/") ? topOf(at) : at;
  for (const part of target.split("/")) {
    if (!place || part === "" || part === ".") continue;
    place =
      part === ".."
        ? { mount: place.mount, dentry: place.dentry.parent ?? place.dentry }
        : step(place, part, depth + 1);
  }
  return place;
}

function topOf(path: Path): Path {
  const root = path.mount.namespace?.root ?? path.mount;
  return crossMounts(root.rootPath);
}
