/** User namespaces: who owns what, and how ids translate (user_namespaces(7)). */
export interface IdMapEntry {
  /** First id inside, first id in the parent namespace, number of ids. */
  inside: number;
  outside: number;
  count: number;
}

export const MAX_USER_NS_LEVEL = 32;
/** What an id without a mapping looks like (/proc/sys/kernel/overflowuid). */
export const OVERFLOW_ID = 65534;

export class UserNamespace {
  readonly parent: UserNamespace | null;
  readonly level: number;
  readonly inode: number;
  /** Global uid and gid of the creator, who is powerful in it. */
  readonly ownerUid: number;
  readonly ownerGid: number;
  uidMap: IdMapEntry[] = [];
  gidMap: IdMapEntry[] = [];
  setgroupsAllowed = true;

  constructor(parent: UserNamespace | null, inode: number, ownerUid = 0, ownerGid = 0) {
    this.parent = parent;
    this.level = parent ? parent.level + 1 : 0;
    this.inode = inode;
    this.ownerUid = ownerUid;
    this.ownerGid = ownerGid;
    if (!parent) {
      this.uidMap = [{ inside: 0, outside: 0, count: 4294967295 }];
      this.gidMap = [{ inside: 0, outside: 0, count: 4294967295 }];
    }
  }

  /** True if this namespace is `other` or one of its ancestors. */
  isAncestorOf(other: UserNamespace): boolean {
    for (let at: UserNamespace | null = other; at; at = at.parent) if (at === this) return true;
    return false;
  }

  /** The id as seen inside, -1 if it has no mapping. */
  uidInside(global: number): number {
    return this.inside(global, "uidMap");
  }

  gidInside(global: number): number {
    return this.inside(global, "gidMap");
  }

  /** The id as calls report it: what has no mapping looks like nobody's (/proc/sys/kernel/overflowuid). */
  uidShown(global: number): number {
    const inside = this.uidInside(global);
    return inside < 0 ? OVERFLOW_ID : inside;
  }

  gidShown(global: number): number {
    const inside = this.gidInside(global);
    return inside < 0 ? OVERFLOW_ID : inside;
  }

  /** The global id of one given inside, -1 if it has no mapping. */
  uidGlobal(inside: number): number {
    return this.global(inside, "uidMap");
  }

  gidGlobal(inside: number): number {
    return this.global(inside, "gidMap");
  }

  private inside(global: number, map: "uidMap" | "gidMap"): number {
    const outer = this.parent ? this.parent.inside(global, map) : global;
    if (outer < 0) return -1;
    for (const entry of this[map]) {
      if (outer >= entry.outside && outer < entry.outside + entry.count) return entry.inside + outer - entry.outside;
    }
    return -1;
  }

  private global(inside: number, map: "uidMap" | "gidMap"): number {
    for (const entry of this[map]) {
      if (inside < entry.inside || inside >= entry.inside + entry.count) continue;
      const outer = entry.outside + inside - entry.inside;
      return this.parent ? this.parent.global(outer, map) : outer;
    }
    return -1;
  }
}
