/** A host that is all memory: a virtual clock, seeded entropy, output kept as bytes, and host files if asked for. */
import { NodeFiles } from "../../machine/node/host-files.ts";
import type { Inlet, MachineHost } from "../../machine/host.ts";
import { SeededEntropy } from "../../machine/seeded-entropy.ts";
import { VirtualClock } from "../../machine/virtual-clock.ts";
import type { ConsoleWorld, World } from "../../kernel/world.ts";

export interface MemoryHostOptions {
  seed?: number;
  /** What standard input holds before it ends. */
  input?: Uint8Array;
  /** Bytes of each output stream that are kept; the rest is taken and forgotten. */
  keep?: number;
  /** The three standard streams are one terminal. */
  terminal?: boolean;
}

export class MemoryHost implements MachineHost {
  readonly world: World;
  private readonly chunks: [Uint8Array[], Uint8Array[]] = [[], []];
  private readonly kept = [0, 0];
  private readonly keep: number;
  private readonly clock = new VirtualClock();
  private input: Uint8Array | null;
  private inlet: Inlet | null = null;

  constructor(options: MemoryHostOptions = {}) {
    this.keep = options.keep ?? 1 << 20;
    this.input = options.input ?? new Uint8Array(0);
    const kind = options.terminal ? "terminal" : "pipe";
    const console: ConsoleWorld = {
      streams: [kind, kind, kind],
      write: (stream, bytes) => this.write(stream - 1, bytes),
      windowSize: () => ({ rows: 24, columns: 80 }),
      wantInput: () => {},
    };
    this.world = { clock: this.clock, entropy: new SeededEntropy(options.seed ?? 1), console, files: new NodeFiles() };
  }

  get stdout(): string {
    return text(this.chunks[0]);
  }

  get stderr(): string {
    return text(this.chunks[1]);
  }

  attach(inlet: Inlet): void {
    this.inlet = inlet;
  }

  detach(): void {
    this.inlet = null;
  }

  pump(): boolean {
    if (!this.input || !this.inlet) return false;
    const taken = this.input.length > 0 ? this.inlet.input(this.input) : 0;
    this.input = this.input.subarray(taken);
    if (this.input.length > 0) return taken > 0;
    this.input = null;
    this.inlet.inputEnd();
    return true;
  }

  waitedUntil(time: number): void {
    this.clock.advanceTo(time);
  }

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  milliseconds(): number {
    return performance.now();
  }

  private write(index: number, bytes: Uint8Array): number {
    const room = this.keep - this.kept[index]!;
    if (room > 0) {
      const part = bytes.slice(0, room);
      this.kept[index]! += part.length;
      this.chunks[index]!.push(part);
    }
    return bytes.length;
  }
}

function text(chunks: readonly Uint8Array[]): string {
  return Buffer.concat(chunks).toString("latin1");
}
