/** System V shared memory segments (shmget(2), shmop(2), shmctl(2)). */
import type { Kernel } from "../kernel.ts";
import { PageStore } from "../mm/page-store.ts";
import type { MappedFile } from "../mm/vma.ts";
import type { Pid } from "../pid/pid.ts";
import type { IpcNamespace, IpcPermissions } from "./ipc-namespace.ts";

export class SharedSegment implements MappedFile {
  readonly id: number;
  readonly permissions: IpcPermissions;
  /** Size asked for, in bytes. */
  readonly size: number;
  readonly store: PageStore;
  readonly creator: Pid;
  lastUser: Pid | null = null;
  /** Seconds since the epoch, 0 for never. */
  attachTime = 0;
  detachTime = 0;
  changeTime: number;
  /** Mappings of it. */
  attached = 0;
  /** IPC_RMID was given: it goes with the last mapping. */
  removed = false;
  locked = false;
  readonly device = 1;
  private readonly namespace: IpcNamespace;
  private readonly kernel: Kernel;

  constructor(kernel: Kernel, namespace: IpcNamespace, permissions: IpcPermissions, size: number, creator: Pid) {
    this.kernel = kernel;
    this.namespace = namespace;
    this.id = namespace.allocateId();
    this.permissions = permissions;
    this.size = size;
    this.creator = creator;
    this.store = new PageStore(kernel.frames);
    this.store.size = Math.ceil(size / 4096) * 4096;
    this.changeTime = kernel.realtime().seconds;
    namespace.segments.set(this.id, this);
  }

  get path(): string {
    return `/SYSV${(this.permissions.key >>> 0).toString(16).padStart(8, "0")} (deleted)`;
  }

  get inode(): number {
    return this.id;
  }

  retain(): void {
    this.attached++;
    this.attachTime = this.kernel.realtime().seconds;
  }

  release(): void {
    this.attached--;
    this.detachTime = this.kernel.realtime().seconds;
    this.removeIfUnused();
  }

  /** IPC_RMID: the key is free at once, the memory when nobody maps it. */
  remove(): void {
    this.removed = true;
    this.removeIfUnused();
  }

  private removeIfUnused(): void {
    if (!this.removed || this.attached > 0) return;
    this.namespace.segments.delete(this.id);
    this.store.dispose();
  }
}
