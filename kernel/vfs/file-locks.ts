/**
 * Advisory locks of one file: record locks of processes and of open files (fcntl(2)), and whole-file locks (flock(2)).
 */
import type { Task } from "../task/task.ts";
import { WaitQueue } from "../task/wait-queue.ts";
import type { FdTable } from "./fd-table.ts";
import type { OpenFile } from "./open-file.ts";

/** A process's lock belongs to its descriptor table, as in Linux; the others to an open file. */
export type LockOwner = FdTable | OpenFile;

export interface RecordLock {
  owner: LockOwner;
  exclusive: boolean;
  start: number;
  /** First byte behind; Infinity to the end of the file. */
  end: number;
  /** The process that F_GETLK reports, null for a lock of an open file. */
  holder: Task | null;
}

export class FileLocks {
  readonly changed = new WaitQueue();
  private records: RecordLock[] = [];
  private readonly whole = new Map<OpenFile, boolean>();

  /** The first record lock that keeps `wanted` from being set. */
  conflict(wanted: RecordLock): RecordLock | undefined {
    return this.records.find(
      (lock) =>
        lock.owner !== wanted.owner &&
        (lock.exclusive || wanted.exclusive) &&
        lock.start < wanted.end &&
        wanted.start < lock.end,
    );
  }

  /** Sets a lock that has no conflict: replaces what the owner held in the range. */
  set(lock: RecordLock): void {
    this.clear(lock.owner, lock.start, lock.end);
    const joined = this.joined(lock);
    this.records.push(joined);
    this.records.sort((a, b) => a.start - b.start);
    this.changed.wakeAll();
  }

  /** Unlocks a range; a lock around it is split. */
  clear(owner: LockOwner, start: number, end: number): void {
    const kept: RecordLock[] = [];
    for (const lock of this.records) {
      if (lock.owner !== owner || lock.end <= start || lock.start >= end) {
        kept.push(lock);
        continue;
      }
      if (lock.start < start) kept.push({ ...lock, end: start });
      if (lock.end > end) kept.push({ ...lock, start: end });
    }
    this.records = kept;
    this.changed.wakeAll();
  }

  /** True if flock(2) has to wait. */
  wholeConflict(file: OpenFile, exclusive: boolean): boolean {
    for (const [owner, held] of this.whole) if (owner !== file && (held || exclusive)) return true;
    return false;
  }

  setWhole(file: OpenFile, exclusive: boolean): void {
    this.whole.set(file, exclusive);
    this.changed.wakeAll();
  }

  clearWhole(file: OpenFile): void {
    if (this.whole.delete(file)) this.changed.wakeAll();
  }

  /** Any close of the file by a process drops all its record locks. */
  releaseProcess(table: FdTable): void {
    if (this.records.some((lock) => lock.owner === table)) this.clear(table, 0, Infinity);
  }

  releaseFile(file: OpenFile): void {
    this.clearWhole(file);
    if (this.records.some((lock) => lock.owner === file)) this.clear(file, 0, Infinity);
  }

  /** The lock together with neighbours of the same owner and kind. */
  private joined(lock: RecordLock): RecordLock {
    const whole = { ...lock };
    this.records = this.records.filter((other) => {
      const touches = other.end === whole.start || other.start === whole.end;
      if (other.owner !== lock.owner || other.exclusive !== lock.exclusive || !touches) return true;
      whole.start = Math.min(whole.start, other.start);
      whole.end = Math.max(whole.end, other.end);
      return false;
    });
    return whole;
  }
}
