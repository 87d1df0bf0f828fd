/** A host for test programs: an empty standard input, output that is kept, and the files of this computer. */
import type { ConsoleWorld, World } from "../../kernel/world.ts";
import type { Inlet, MachineHost } from "../host.ts";
import { SeededEntropy } from "../seeded-entropy.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { HostClock } from "../host-clock.ts";
import { NodeFiles } from "./host-files.ts";

export interface ConformanceHostOptions {
  readonly clock: "host" | "virtual";
  readonly seed: number;
}

export class ConformanceHost implements MachineHost {
  readonly world: World;
  readonly stdout = new KeptOutput();
  readonly stderr = new KeptOutput();
  private readonly virtualClock: VirtualClock | null;
  private inlet: Inlet | null = null;

  constructor({ clock, seed }: ConformanceHostOptions) {
    this.virtualClock = clock === "virtual" ? new VirtualClock() : null;
    const console: ConsoleWorld = {
      streams: ["null", "pipe", "pipe"],
      write: (stream, bytes) => (stream === 1 ? this.stdout : this.stderr).write(bytes),
      windowSize: () => ({ rows: 24, columns: 80 }),
      wantInput: () => {},
    };
    this.world = {
      clock: this.virtualClock ?? new HostClock(),
      entropy: new SeededEntropy(seed),
      console,
      files: new NodeFiles(),
    };
  }

  attach(inlet: Inlet): void {
    this.inlet = inlet;
  }

  detach(): void {
    this.inlet = null;
  }

  pump(): boolean {
    if (!this.inlet) return false;
    this.inlet.inputEnd();
    this.inlet = null;
    return true;
  }

  waitedUntil(time: number): void {
    this.virtualClock?.advanceTo(time);
  }

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  milliseconds(): number {
    return performance.now();
  }
}

/** Bytes that a program writes to one stream: the first so many, and how many more there were. */
export class KeptOutput {
  static readonly LIMIT = 4 << 20;
  private readonly chunks: Uint8Array[] = [];
  private size = 0;

  /** Takes all of it. */
  write(bytes: Uint8Array): number {
    const room = KeptOutput.LIMIT - this.size;
    if (room > 0) this.chunks.push(bytes.slice(0, room));
    this.size += bytes.length;
    return bytes.length;
  }

  get text(): string {
    const kept = Buffer.concat(this.chunks).toString("utf8");
    const left = this.size - KeptOutput.LIMIT;
    return left > 0 ? `${kept}\n[${left} more bytes were not kept]\n` : kept;
  }
}
