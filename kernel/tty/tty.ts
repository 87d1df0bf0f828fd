/** A terminal: settings, size, the session it controls, and a line discipline in front of whatever is behind it. */
import { SIGCONT, SIGHUP, SIGWINCH } from "../../abi/signal.ts";
import type { Pid } from "../pid/pid.ts";
import { kernelSigInfo, sendSignalToGroup, sendSignalToProcessGroup } from "../signal/send.ts";
import { WaitQueue } from "../task/wait-queue.ts";
import type { ThreadGroup } from "../task/thread-group.ts";
import { LineDiscipline, type LineHost } from "./line-discipline.ts";
import { OutputProcessor } from "./output.ts";
import { defaultTermios } from "./termios.ts";

/** The other side of a terminal: a screen and keyboard. */
export interface TtyDriver {
  /** Shows bytes; the count taken, or -errno. */
  write(bytes: Uint8Array): number;
  /** A program waits for input. */
  wantInput(): void;
}

export interface WinSize {
  rows: number;
  columns: number;
  xPixels: number;
  yPixels: number;
}

export class Tty implements LineHost {
  /** Device number of its node. */
  readonly device: number;
  readonly name: string;
  termios = defaultTermios();
  size: WinSize;
  /** The session it is the controlling terminal of. */
  session: Pid | null = null;
  /** The foreground process group. */
  foreground: Pid | null = null;
  hungUp = false;
  stopped = false;
  readonly discipline = new LineDiscipline(this);
  readonly readers = new WaitQueue();
  readonly writers = new WaitQueue();
  /** Changes with every input, for edge-triggered epoll. */
  activity = 0;
  private readonly driver: TtyDriver;
  private readonly output = new OutputProcessor();

  constructor(name: string, device: number, driver: TtyDriver, size: WinSize) {
    this.name = name;
    this.device = device;
    this.driver = driver;
    this.size = size;
  }

  get column(): number {
    return this.output.column;
  }

  /** Typed bytes arrive; returns how many there was room for. */
  input(bytes: Uint8Array): number {
    return this.hungUp ? bytes.length : this.discipline.receive(bytes);
  }

  /** A program writes: the count, or -errno. */
  write(bytes: Uint8Array): number {
    const processed = this.output.process(bytes, this.termios.output);
    for (let done = 0; done < processed.length;) {
      const count = this.driver.write(done === 0 ? processed : processed.subarray(done));
      if (count < 0) return count;
      if (count === 0) break;
      done += count;
    }
    return bytes.length;
  }

  wantInput(): void {
    this.driver.wantInput();
  }

  echo(bytes: readonly number[]): void {
    this.write(Uint8Array.from(bytes));
  }

  signal(signo: number): void {
    if (this.foreground) sendSignalToProcessGroup(this.foreground, kernelSigInfo(signo));
  }

  setStopped(stopped: boolean): void {
    this.stopped = stopped;
    if (!stopped) this.writers.wakeAll();
  }

  inputReady(): void {
    this.activity++;
    this.readers.wakeAll();
  }

  resize(size: WinSize): void {
    const { rows, columns, xPixels, yPixels } = this.size;
    if (rows === size.rows && columns === size.columns && xPixels === size.xPixels && yPixels === size.yPixels) return;
    this.size = size;
    this.signal(SIGWINCH);
  }

  /** Becomes the controlling terminal of the session that the process leads, with its group in the foreground. */
  control(leader: ThreadGroup): void {
    this.session = leader.session;
    this.foreground = leader.processGroup;
    leader.tty = this;
  }

  /** The session loses its terminal: its leader ends, or gives it up (TIOCNOTTY). */
  abandon(): void {
    const { session, foreground } = this;
    this.session = null;
    this.foreground = null;
    if (foreground) {
      sendSignalToProcessGroup(foreground, kernelSigInfo(SIGHUP));
      sendSignalToProcessGroup(foreground, kernelSigInfo(SIGCONT));
    }
    if (session) for (const group of session.session) if (group.tty === this) group.tty = null;
  }

  /** The line is gone: readers get an end of file, writers EIO, the session SIGHUP. */
  hangUp(): void {
    if (this.hungUp) return;
    this.hungUp = true;
    const { session } = this;
    if (session) {
      for (const group of session.session) {
        if (group.pid !== session) continue;
        sendSignalToGroup(group, kernelSigInfo(SIGHUP));
        sendSignalToGroup(group, kernelSigInfo(SIGCONT));
      }
      this.abandon();
    }
    this.activity++;
    this.readers.wakeAll();
    this.writers.wakeAll();
  }
}

/**
 * To be called when a process ends: if it led a session, the session's terminal is given up and its foreground jobs
 * are told with SIGHUP (credentials(7), setsid(2)).
 */
export function sessionLeaderEnded(group: ThreadGroup): void {
  const { tty } = group;
  if (tty && group.isSessionLeader && tty.session === group.session) tty.abandon();
}
