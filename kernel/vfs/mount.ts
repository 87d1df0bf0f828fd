/**
 * Mounts and mount namespaces (mount_namespaces(7)). A path is a mount and a dentry: the same directory can be reached
 * through several mounts with different flags and different parents.
 */
import { EBUSY, EINVAL } from "../../abi/errno.ts";
import type { UserNamespace } from "../namespaces/user-namespace.ts";
import type { Dentry } from "./dentry.ts";
import type { FileSystem } from "./file-system.ts";
import type { FsContext } from "./fs-context.ts";

/** A place in a namespace. Never changed in place. */
export interface Path {
  readonly mount: Mount;
  readonly dentry: Dentry;
}

export interface MountAttributes {
  readOnly: boolean;
  noSuid: boolean;
  noDev: boolean;
  noExec: boolean;
  /** "relatime", "noatime" or "strictatime". */
  accessTime: "relatime" | "noatime" | "strictatime";
}

export const DEFAULT_ATTRIBUTES: MountAttributes = {
  readOnly: false,
  noSuid: false,
  noDev: false,
  noExec: false,
  accessTime: "relatime",
};

export class Mount {
  readonly fs: FileSystem;
  /** The dentry that lies on the mount point: the file system's root, or less for a bind mount. */
  readonly root: Dentry;
  /** First field of /proc/mounts. */
  readonly source: string;
  readonly id: number;
  attributes: MountAttributes;
  parent: Mount | null = null;
  mountpoint: Dentry | null = null;
  /** Mounts on dentries of this one. A second mount on the same place lies on the root of the first. */
  readonly children = new Map<Dentry, Mount>();
  namespace: MountNamespace | null = null;

  constructor(id: number, root: Dentry, source: string, attributes: MountAttributes) {
    this.id = id;
    this.fs = root.fs;
    this.root = root;
    this.source = source;
    this.attributes = attributes;
  }

  get readOnly(): boolean {
    return this.attributes.readOnly || this.fs.readOnly;
  }

  get rootPath(): Path {
    return { mount: this, dentry: this.root };
  }

  /** This mount and all below it, parents first. */
  *tree(): Generator<Mount> {
    yield this;
    for (const child of this.children.values()) yield* child.tree();
  }

  attach(at: Path): void {
    this.parent = at.mount;
    this.mountpoint = at.dentry;
    at.mount.children.set(at.dentry, this);
    at.dentry.mounts++;
  }

  detach(): void {
    if (!this.parent || !this.mountpoint) return;
    this.parent.children.delete(this.mountpoint);
    this.mountpoint.mounts--;
    this.parent = null;
    this.mountpoint = null;
  }
}

/** Follows mounts lying on a place down to the topmost one. */
export function crossMounts(path: Path): Path {
  let { mount, dentry } = path;
  while (dentry.mounts > 0) {
    const over = mount.children.get(dentry);
    if (!over) break;
    mount = over;
    dentry = over.root;
  }
  return dentry === path.dentry ? path : { mount, dentry };
}

export class MountNamespace {
  readonly inode: number;
  readonly owner: UserNamespace;
  root!: Mount;
  private nextId: { value: number };

  constructor(inode: number, owner: UserNamespace, ids: { value: number } = { value: 20 }) {
    this.inode = inode;
    this.owner = owner;
    this.nextId = ids;
  }

  /** Everything mounted, parents first. */
  get mounts(): Mount[] {
    return [...this.root.tree()];
  }

  setRoot(dentry: Dentry, source: string, attributes = DEFAULT_ATTRIBUTES): Mount {
    this.root = this.make(dentry, source, attributes);
    return this.root;
  }

  /** Mounts the tree below a dentry on a place. @throws EBUSY */
  mount(dentry: Dentry, at: Path, source: string, attributes = DEFAULT_ATTRIBUTES): Mount {
    const made = this.make(dentry, source, attributes);
    made.attach(at);
    return made;
  }

  /**
   * Copies the mounts of `from` that lie within its part below `dentry` onto a place (a recursive bind mount).
   */
  bindTree(from: Path, at: Path): Mount {
    const top = this.make(from.dentry, from.mount.source, from.mount.attributes);
    for (const child of from.mount.children.values()) {
      if (child.mountpoint!.isBelow(from.dentry))
        this.copyTree(child, new Map()).attach({ mount: top, dentry: child.mountpoint! });
    }
    top.attach(at);
    return top;
  }

  /** Takes a mount away. @throws EINVAL for the root, EBUSY if something lies on it */
  unmount(mount: Mount, lazily: boolean): void {
    if (mount.namespace !== this || !mount.parent) throw EINVAL;
    if (!lazily && mount.children.size > 0) throw EBUSY;
    mount.detach();
    for (const gone of mount.tree()) gone.namespace = null;
  }

  /**
   * A copy for CLONE_NEWNS. The places `fs` refers to, which must be the caller's own copy, move to the new mounts.
   */
  clone(inode: number, owner: UserNamespace, fs: FsContext | null): MountNamespace {
    const copy = new MountNamespace(inode, owner, this.nextId);
    const twins = new Map<Mount, Mount>();
    copy.root = copy.copyTree(this.root, twins);
    if (fs) {
      const moved = (path: Path): Path => ({ mount: twins.get(path.mount) ?? path.mount, dentry: path.dentry });
      fs.root = moved(fs.root);
      fs.cwd = moved(fs.cwd);
    }
    return copy;
  }

  private make(dentry: Dentry, source: string, attributes: MountAttributes): Mount {
    const made = new Mount(this.nextId.value++, dentry, source, attributes);
    made.namespace = this;
    return made;
  }

  private copyTree(mount: Mount, twins: Map<Mount, Mount>): Mount {
    const copy = this.make(mount.root, mount.source, mount.attributes);
    twins.set(mount, copy);
    for (const child of mount.children.values()) {
      this.copyTree(child, twins).attach({ mount: copy, dentry: child.mountpoint! });
    }
    return copy;
  }
}
