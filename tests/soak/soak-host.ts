/** A host whose console is read line by line while the machine runs. */
import { HostClock } from "../../machine/host-clock.ts";
import type { Inlet, MachineHost } from "../../machine/host.ts";
import { NodeFiles } from "../../machine/node/host-files.ts";
import { SeededEntropy } from "../../machine/seeded-entropy.ts";
import type { World } from "../../kernel/world.ts";

export class SoakHost implements MachineHost {
  readonly world: World;
  private readonly partial = ["", ""];

  /** @param onLine told every line of standard output (1) and standard error (2) */
  constructor(onLine: (stream: number, line: string) => void) {
    this.world = {
      clock: new HostClock(),
      entropy: new SeededEntropy(1),
      files: new NodeFiles(),
      console: {
        streams: ["null", "pipe", "pipe"],
        write: (stream, bytes) => {
          const lines = (this.partial[stream - 1]! + Buffer.from(bytes).toString("latin1")).split("\n");
          this.partial[stream - 1] = lines.pop()!;
          for (const line of lines) onLine(stream, line);
          return bytes.length;
        },
        windowSize: () => ({ rows: 24, columns: 80 }),
        wantInput: () => {},
      },
    };
  }

  attach(_inlet: Inlet): void {}

  detach(): void {}

  pump(): boolean {
    return false;
  }

  waitedUntil(): void {}

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  milliseconds(): number {
    return performance.now();
  }
}
