/** A world in the test's hands: time stands still until moved, output is kept, host files live in memory. */
import type { ConsoleWorld, StreamKind, World } from "../world.ts";
import { MemoryFiles } from "./memory-files.ts";

export class FakeWorld implements World {
  readonly files = new MemoryFiles();
  /** Bytes written to each output stream. */
  readonly output: Record<1 | 2, number[]> = { 1: [], 2: [] };
  readonly size = { rows: 24, columns: 80 };
  /** What the next console writes answer, instead of taking everything. */
  writeResult: number | null = null;
  wantedInput = 0;
  nanoseconds = 0;
  readonly console: ConsoleWorld;
  readonly clock = {
    bootTime: { seconds: 1_600_000_000, nanoseconds: 0 },
    now: () => this.nanoseconds,
    executed: () => {},
    skipTo: () => false,
  };
  readonly entropy = { fill: (bytes: Uint8Array): void => void bytes.fill(0x5a) };

  constructor(streams: readonly [StreamKind, StreamKind, StreamKind] = ["pipe", "pipe", "pipe"]) {
    this.console = {
      streams,
      write: (stream, bytes) => {
        if (this.writeResult !== null) return this.writeResult;
        this.output[stream].push(...bytes);
        return bytes.length;
      },
      windowSize: () => this.size,
      wantInput: () => void this.wantedInput++,
    };
  }

  /** What has been written to standard output, as text; forgotten after that. */
  takeOutput(): string {
    return String.fromCharCode(...this.output[1].splice(0));
  }
}
