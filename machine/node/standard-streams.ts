/** The process's own standard streams as the machine's console: what they are, and writing to them. */
import { fstatSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Terminals from "node:tty";
import type { StreamKind, WindowSize } from "../../kernel/world.ts";
import { EAGAIN } from "../../abi/errno.ts";
import { negativeErrno } from "./host-errno.ts";

/** What `stty size` says of a terminal that does not know. */
const DEFAULT_SIZE: WindowSize = { rows: 24, columns: 80 };

/** node:tty loads a good part of Node's network code, so it is only asked where a terminal is possible. */
function isTerminal(fd: number): boolean {
  const { isatty } = createRequire(import.meta.url)("node:tty") as typeof Terminals;
  return isatty(fd);
}

/** Device 1:3 on Linux and 3:2 on macOS. */
function isNullDevice(rdev: number): boolean {
  return rdev === 0x103 || rdev === 0x3000002;
}

/** What a descriptor of this process is connected to; one that is closed counts as /dev/null. */
export function streamKind(fd: number): StreamKind {
  try {
    const stats = fstatSync(fd);
    if (stats.isFIFO() || stats.isSocket()) return "pipe";
    if (!stats.isCharacterDevice()) return "file";
    if (isNullDevice(stats.rdev)) return "null";
    return isTerminal(fd) ? "terminal" : "file";
  } catch {
    return "null";
  }
}

/** Blocks the thread for some milliseconds. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Writes all bytes, waiting where the other side is slow even if the descriptor is non-blocking.
 * Returns the bytes written, or -errno when none could be.
 */
export function writeFully(fd: number, bytes: Uint8Array): number {
  let done = 0;
  for (let delay = 1; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done);
      delay = 1;
    } catch (error) {
      const errno = negativeErrno(error);
      if (errno !== -EAGAIN.number) return done > 0 ? done : errno;
      pause(delay);
      delay = Math.min(delay * 2, 16);
    }
  }
  return done;
}

/** Size of the terminal on any of the three streams. */
export function windowSize(kinds: readonly StreamKind[]): WindowSize {
  const stream = kinds[1] === "terminal" ? process.stdout : kinds[2] === "terminal" ? process.stderr : undefined;
  const size = stream ? outputSize(stream) : kinds[0] === "terminal" ? inputSize() : undefined;
  return size && size.rows > 0 && size.columns > 0 ? size : DEFAULT_SIZE;
}

function outputSize(stream: Terminals.WriteStream): WindowSize | undefined {
  const [columns, rows] = stream.getWindowSize?.() ?? [0, 0];
  return { rows, columns };
}

/** Only output streams know their size in Node; a terminal on standard input alone is opened once more to ask it. */
function inputSize(): WindowSize | undefined {
  try {
    const { WriteStream: Stream } = createRequire(import.meta.url)("node:tty") as typeof Terminals;
    return outputSize(new Stream(0));
  } catch {
    return undefined;
  }
}
