/** Character devices by number (Linux's devices.txt): what opening a device node gives. */
import { EIO, ENXIO } from "../../abi/errno.ts";
import { O_NOCTTY } from "../../abi/fcntl.ts";
import type { Task } from "../task/task.ts";
import { openTty } from "../tty/tty-file.ts";
import { encodeDevice } from "../vfs/device-number.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Path } from "../vfs/mount.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { FullFile, KmsgFile, NullFile, RandomFile, ZeroFile } from "./memory-devices.ts";

export const DEV_NULL = encodeDevice(1, 3);
export const DEV_ZERO = encodeDevice(1, 5);
export const DEV_FULL = encodeDevice(1, 7);
export const DEV_RANDOM = encodeDevice(1, 8);
export const DEV_URANDOM = encodeDevice(1, 9);
export const DEV_KMSG = encodeDevice(1, 11);
export const DEV_TTY = encodeDevice(5, 0);
export const DEV_CONSOLE = encodeDevice(5, 1);

/** @throws ENXIO for a number without a driver */
export function openCharacterDevice(task: Task, inode: Inode, path: Path, flags: number): OpenFile {
  switch (inode.rdev) {
    case DEV_NULL:
      return new NullFile(inode, path, flags);
    case DEV_ZERO:
      return new ZeroFile(inode, path, flags);
    case DEV_FULL:
      return new FullFile(inode, path, flags);
    case DEV_RANDOM:
    case DEV_URANDOM:
      return new RandomFile(inode, path, flags);
    case DEV_KMSG:
      return new KmsgFile(inode, path, flags);
    case DEV_TTY: {
      const { tty } = task.group;
      if (!tty) throw ENXIO;
      return openTty(task, tty, inode, path, flags | O_NOCTTY);
    }
    case DEV_CONSOLE: {
      const { tty } = task.kernel.console;
      if (!tty) throw EIO;
      return openTty(task, tty, inode, path, flags);
    }
    default:
      throw ENXIO;
  }
}
