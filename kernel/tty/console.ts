/**
 * The machine's connection with its user: three standard streams, of which some may be one terminal. Input is pushed
 * by the machine; what does not fit is left with it.
 */
import { O_RDONLY, O_RDWR, O_WRONLY } from "../../abi/fcntl.ts";
import { S_IFCHR, S_IFIFO, S_IFREG } from "../../abi/stat.ts";
import { pipeFs, type AnonymousInode } from "../fs/anonymous-fs.ts";
import { DEV_CONSOLE, DEV_NULL } from "../fs/devices.ts";
import type { Kernel } from "../kernel.ts";
import { crossMounts, type Path } from "../vfs/mount.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import type { StreamKind } from "../world.ts";
import { ConsoleStream, StreamInput } from "./console-stream.ts";
import { Tty, type WinSize } from "./tty.ts";
import { TtyFile } from "./tty-file.ts";

export class Console {
  /** The terminal, if any of the streams is one. */
  readonly tty: Tty | null;
  private readonly kernel: Kernel;
  private readonly stream = new StreamInput();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    const { console: world } = kernel.world;
    this.tty = world.streams.includes("terminal")
      ? new Tty(
          "console",
          DEV_CONSOLE,
          {
            write: (bytes) =>
              world.write(world.streams[1] === "terminal" || world.streams[2] !== "terminal" ? 1 : 2, bytes),
            wantInput: () => world.wantInput(),
          },
          this.windowSize(),
        )
      : null;
  }

  private get inputIsTerminal(): boolean {
    return this.kernel.world.console.streams[0] === "terminal";
  }

  /** Bytes have arrived from outside; returns how many were taken, the rest is to be offered again. */
  input(bytes: Uint8Array): number {
    return this.inputIsTerminal && this.tty ? this.tty.input(bytes) : this.stream.push(bytes);
  }

  /** There will be no more input: end of file, or a terminal that has gone away. */
  inputEnd(): void {
    if (this.inputIsTerminal) this.tty?.hangUp();
    else this.stream.end();
  }

  /** The user has changed the size of the window. */
  resized(): void {
    this.tty?.resize(this.windowSize());
  }

  /** Standard input, output and error for the first process; call once the file systems are set up. */
  openStreams(): [OpenFile, OpenFile, OpenFile] {
    const { streams } = this.kernel.world.console;
    const terminal = this.tty && streams.includes("terminal") ? this.openTerminal(this.tty) : null;
    const open = (index: 0 | 1 | 2): OpenFile => {
      if (streams[index] === "terminal" && terminal) {
        terminal.retain();
        return terminal;
      }
      return this.openStream(index, streams[index]);
    };
    const files: [OpenFile, OpenFile, OpenFile] = [open(0), open(1), open(2)];
    terminal?.release();
    return files;
  }

  private openTerminal(tty: Tty): TtyFile {
    const path = this.consoleNode();
    if (path) return new TtyFile(tty, path.dentry.inode, path, O_RDWR);
    const inode = this.node(S_IFCHR | 0o600, DEV_CONSOLE);
    inode.reopen = (_task, place, flags) => new TtyFile(tty, inode, place, flags);
    return new TtyFile(tty, inode, null, O_RDWR);
  }

  private openStream(index: 0 | 1 | 2, kind: StreamKind): OpenFile {
    const inode =
      kind === "pipe"
        ? this.node(S_IFIFO | 0o600, 0)
        : kind === "file"
          ? this.node(S_IFREG | 0o600, 0)
          : this.node(S_IFCHR | 0o666, DEV_NULL);
    const { console: world } = this.kernel.world;
    inode.reopen = (_task, _path, flags) => new ConsoleStream(inode, flags, world, index, this.stream);
    return new ConsoleStream(inode, index === 0 ? O_RDONLY : O_WRONLY, world, index, this.stream);
  }

  private node(mode: number, rdev: number): AnonymousInode {
    const inode = pipeFs(this.kernel).make(mode);
    inode.rdev = rdev;
    return inode;
  }

  /** The place of /dev/console, so that ttyname(3) finds the terminal by name. */
  private consoleNode(): Path | null {
    const namespace = this.kernel.initNamespaces?.mount;
    if (!namespace) return null;
    let path: Path = crossMounts(namespace.root.rootPath);
    for (const name of ["dev", "console"]) {
      if (!path.dentry.inode.isDirectory) return null;
      const dentry = path.dentry.child(name);
      if (!dentry) return null;
      path = crossMounts({ mount: path.mount, dentry });
    }
    return path.dentry.inode.rdev === DEV_CONSOLE ? path : null;
  }

  private windowSize(): WinSize {
    const { rows, columns } = this.kernel.world.console.windowSize();
    return { rows, columns, xPixels: 0, yPixels: 0 };
  }
}
