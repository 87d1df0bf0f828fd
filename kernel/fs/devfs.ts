/** /dev: a tmpfs filled with the devices a program may expect (devtmpfs, with devpts and shm beside it). */
import { S_IFCHR, S_IFDIR, S_IFLNK } from "../../abi/stat.ts";
import type { Kernel } from "../kernel.ts";
import { DEV_CONSOLE, DEV_FULL, DEV_KMSG, DEV_NULL, DEV_RANDOM, DEV_TTY, DEV_URANDOM, DEV_ZERO } from "./devices.ts";
import { TmpFs } from "./tmpfs.ts";

const NODES: readonly [name: string, device: number, permissions: number][] = [
  ["null", DEV_NULL, 0o666],
  ["zero", DEV_ZERO, 0o666],
  ["full", DEV_FULL, 0o666],
  ["random", DEV_RANDOM, 0o666],
  ["urandom", DEV_URANDOM, 0o666],
  ["kmsg", DEV_KMSG, 0o644],
  ["tty", DEV_TTY, 0o666],
];

const LINKS: readonly [name: string, target: string][] = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
];

/** A fresh /dev. */
export function createDevFs(kernel: Kernel): TmpFs {
  const fs = new TmpFs(kernel, { type: "devtmpfs", mode: 0o755 });
  const { root } = fs;
  const owner = { uid: 0, gid: 0 };
  for (const [name, rdev, permissions] of NODES) root.create(name, { mode: S_IFCHR | permissions, rdev, ...owner });
  if (kernel.console.tty) root.create("console", { mode: S_IFCHR | 0o600, rdev: DEV_CONSOLE, ...owner });
  for (const [name, target] of LINKS) root.create(name, { mode: S_IFLNK | 0o777, target, ...owner });
  root.create("shm", { mode: S_IFDIR | 0o1777, ...owner });
  root.create("pts", { mode: S_IFDIR | 0o755, ...owner });
  return fs;
}
