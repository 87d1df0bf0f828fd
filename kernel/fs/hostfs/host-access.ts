/**
 * The host's files as all host folders of one machine use them: errors as errnos, and a bounded number of open
 * handles. A handle is only used for the inode it was opened for, whatever the path means by then.
 */
import type { Errno } from "../../../abi/errno.ts";
import { EIO, ESTALE, errnoByNumber } from "../../../abi/errno.ts";
import { O_RDONLY, O_RDWR } from "../../../abi/fcntl.ts";
import type { HostFiles } from "../../world.ts";
import type { HostInode } from "./host-inode.ts";

const MAX_HANDLES = 256;

/** The errno behind a negative result of the host. */
export const hostErrno = (result: number): Errno => errnoByNumber.get(-result) ?? EIO;

/** @throws the host's errno */
export function check(result: number): number {
  if (result < 0) throw hostErrno(result);
  return result;
}

/** @throws the host's errno */
export function checked<T>(result: T | number): T {
  if (typeof result === "number") throw hostErrno(result);
  return result;
}

export interface HostHandle {
  readonly number: number;
  readonly writable: boolean;
}

export class HostAccess {
  readonly files: HostFiles;
  /** Advances with each path walk: directories seen in an earlier one are looked at again. */
  tick = 1;
  /** Open handles, least recently opened first. */
  private readonly handles = new Map<HostInode, HostHandle>();

  constructor(files: HostFiles) {
    this.files = files;
  }

  /** A handle for reading, or for both; kept open for the next time. @throws the host's errno, ESTALE */
  handleOf(inode: HostInode, write: boolean): number {
    const known = this.handles.get(inode);
    if (known && (known.writable || !write)) return known.number;
    const number = check(this.files.open(inode.hostPath, write ? O_RDWR : O_RDONLY, 0));
    const stat = this.files.fstat(number);
    if (typeof stat === "number" || stat.dev !== inode.hostDevice || stat.ino !== inode.number) {
      this.files.close(number);
      throw ESTALE;
    }
    this.keep(inode, { number, writable: write });
    return number;
  }

  /** A handle the inode has already. */
  peek(inode: HostInode): number | undefined {
    return this.handles.get(inode)?.number;
  }

  keep(inode: HostInode, handle: HostHandle): void {
    this.drop(inode);
    this.handles.set(inode, handle);
    if (this.handles.size <= MAX_HANDLES) return;
    for (const other of this.handles.keys()) {
      // A file without a name can only be reached through its handle.
      if (other === inode || other.nlink === 0) continue;
      this.drop(other);
      return;
    }
  }

  drop(inode: HostInode): void {
    const handle = this.handles.get(inode);
    if (!handle) return;
    this.handles.delete(inode);
    this.files.close(handle.number);
  }
}
