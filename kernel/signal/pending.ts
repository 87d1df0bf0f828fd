/** Signals sent and not yet taken, with their siginfo; standard signals once, real-time signals queued (signal(7)). */
import { SIGRTMIN } from "../../abi/signal.ts";
import { SignalSet } from "./signal-set.ts";

/** The part of siginfo_t that some sender has filled in (sigaction(2)); what is absent is zero. */
export interface SigInfo {
  signo: number;
  code: number;
  errno?: number;
  /** Sender as the receiver's pid namespace sees it. */
  pid?: number;
  uid?: number;
  /** si_status of SIGCHLD. */
  status?: number;
  utime?: number;
  stime?: number;
  /** si_addr as two 32-bit halves. */
  addressLow?: number;
  addressHigh?: number;
  /** si_value (sigqueue, timers). */
  value?: bigint;
  timerId?: number;
  overrun?: number;
  /** The timer whose expiry this is: it wants to know when the signal is taken. */
  timer?: { taken(info: SigInfo): void };
  /** A complete siginfo given by rt_sigqueueinfo(2). */
  raw?: Uint8Array;
}

export class PendingSignals {
  readonly set = new SignalSet();
  private readonly queue: SigInfo[] = [];

  /** Real-time signals queued, for RLIMIT_SIGPENDING. */
  get queued(): number {
    return this.queue.length;
  }

  /** Adds a signal; a standard signal that is pending already is lost, unless it is a timer's. */
  add(info: SigInfo): void {
    if (info.signo < SIGRTMIN && this.set.has(info.signo) && !info.timer) return;
    this.set.add(info.signo);
    this.queue.push(info);
  }

  /** Takes the oldest entry of a signal. */
  take(signal: number): SigInfo {
    const at = this.queue.findIndex((info) => info.signo === signal);
    const [info] = at >= 0 ? this.queue.splice(at, 1) : [];
    if (!this.queue.some((other) => other.signo === signal)) this.set.delete(signal);
    info?.timer?.taken(info);
    return info ?? { signo: signal, code: 0 };
  }

  /** Drops all entries of some signals. */
  discard(signals: SignalSet): void {
    this.set.deleteAll(signals);
    for (let at = this.queue.length - 1; at >= 0; at--) {
      if (signals.has(this.queue[at]!.signo)) this.queue.splice(at, 1);
    }
  }

  clear(): void {
    this.queue.length = 0;
    this.set.low = 0;
    this.set.high = 0;
  }
}
