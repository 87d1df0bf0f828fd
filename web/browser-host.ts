/** A browser's worker as the host of a machine: its clock and entropy, and a console that messages go through. */
import type { ConsoleWorld, Entropy, StreamKind, WindowSize, World } from "../kernel/world.ts";
import { HostClock } from "../machine/host-clock.ts";
import type { Inlet, MachineHost } from "../machine/index.ts";

/** crypto.getRandomValues() gives no more at once. */
const MOST_ENTROPY = 65536;
/** Bytes a terminal may lag behind before the machine waits for it. */
const MOST_UNSHOWN = 1 << 20;

const entropy: Entropy = {
  fill: (bytes) => {
    for (let at = 0; at < bytes.length; at += MOST_ENTROPY) {
      // Guest memory may be shared one day, which the call refuses; a copy is always taken.
      bytes.set(crypto.getRandomValues(new Uint8Array(Math.min(MOST_ENTROPY, bytes.length - at))), at);
    }
  },
};

export interface BrowserHostOptions {
  /** Called with bytes that are the receiver's to keep. */
  readonly write: (stream: 1 | 2, bytes: Uint8Array) => void;
  /** Size of the terminal that the three streams are; without it input is empty and output goes through pipes. */
  readonly terminal?: WindowSize;
}

export class BrowserHost implements MachineHost {
  readonly world: World;
  private inlet: Inlet | null = null;
  private size: WindowSize;
  /** Arrived, but not taken by the guest yet. */
  private held: Uint8Array = new Uint8Array(0);
  /** Written to the terminal, but not shown yet. */
  private unshown = 0;
  private readonly channel = new MessageChannel();
  private resume: (() => void) | null = null;

  constructor({ write, terminal }: BrowserHostOptions) {
    this.size = terminal ?? { rows: 24, columns: 80 };
    const kind: StreamKind = terminal ? "terminal" : "pipe";
    const console: ConsoleWorld = {
      streams: [terminal ? kind : "null", kind, kind],
      write: (stream, bytes) => {
        if (terminal) this.unshown += bytes.length;
        write(stream, bytes.slice());
        return bytes.length;
      },
      windowSize: () => this.size,
      wantInput: () => {
        // Input is offered at every pump while there is some.
      },
    };
    this.world = { clock: new HostClock(), entropy, console };
    this.channel.port1.onmessage = () => this.resumeTurn();
  }

  attach(inlet: Inlet): void {
    this.inlet = inlet;
    this.pump();
  }

  detach(): void {
    this.inlet = null;
    this.channel.port1.close();
  }

  /** What was typed: offered at once, since a Ctrl-C has to arrive while the guest computes. */
  input(bytes: Uint8Array): void {
    const all = new Uint8Array(this.held.length + bytes.length);
    all.set(this.held);
    all.set(bytes, this.held.length);
    this.held = all;
    this.pump();
  }

  resize(size: WindowSize): void {
    this.size = size;
    this.inlet?.resized();
  }

  /** The terminal has caught up by so many bytes. */
  shown(count: number): void {
    const wasWaiting = this.unshown > MOST_UNSHOWN;
    this.unshown -= count;
    if (wasWaiting) this.resumeTurn();
  }

  pump(): boolean {
    if (!this.inlet || this.held.length === 0) return false;
    const taken = this.inlet.input(this.held);
    this.held = this.held.subarray(taken);
    return taken > 0;
  }

  waitedUntil(): void {
    // The clock is the host's own.
  }

  /** A message to oneself, since setTimeout would wait 4 milliseconds; longer while the terminal lags behind. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.resume = resolve;
      this.channel.port2.postMessage(null);
    });
  }

  private resumeTurn(): void {
    if (this.unshown > MOST_UNSHOWN) return;
    this.resume?.();
    this.resume = null;
  }

  milliseconds(): number {
    return performance.now();
  }
}
