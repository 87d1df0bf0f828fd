/** Node as the host of a machine: its clock, entropy, files, standard streams and signals. */
import { constants } from "node:os";
import type { Clock, ConsoleWorld, Entropy, World } from "../../kernel/world.ts";
import type { Inlet, MachineHost } from "../host.ts";
import { SeededEntropy } from "../seeded-entropy.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { HostClock } from "../host-clock.ts";
import { HostEntropy } from "./host-entropy.ts";
import { NodeFiles } from "./host-files.ts";
import { StandardInput } from "./standard-input.ts";
import { streamKind, windowSize, writeFully } from "./standard-streams.ts";

export interface NodeHostOptions {
  /** Default: "host". */
  clock?: "host" | "virtual";
  /** Makes the machine's entropy repeatable. Default: the host's. */
  seed?: number;
}

/** Signals to this process that are the guest's business, with Linux's numbers. */
const FORWARDED: readonly (readonly [NodeJS.Signals, number])[] = [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGQUIT", 3],
  ["SIGTERM", 15],
];

export class NodeHost implements MachineHost {
  readonly world: World;
  private readonly input: StandardInput;
  private readonly listeners: (readonly [NodeJS.Signals, () => void])[] = [];
  private readonly virtualClock: VirtualClock | undefined;
  private readonly hasTerminal: boolean;

  constructor(options: NodeHostOptions = {}) {
    const entropy: Entropy = options.seed === undefined ? new HostEntropy() : new SeededEntropy(options.seed);
    const streams = [streamKind(0), streamKind(1), streamKind(2)] as const;
    const input = new StandardInput(streams[0]);
    const virtualClock = options.clock === "virtual" ? new VirtualClock(() => !input.expected) : undefined;
    const clock: Clock = virtualClock ?? new HostClock();
    const console: ConsoleWorld = {
      streams,
      write: writeFully,
      windowSize: () => windowSize(streams),
      wantInput: () => input.want(),
    };
    this.input = input;
    this.virtualClock = virtualClock;
    this.hasTerminal = streams.includes("terminal");
    this.world = { clock, entropy, console, files: new NodeFiles() };
  }

  attach(inlet: Inlet): void {
    for (const [name, number] of FORWARDED) this.listen(name, () => inlet.signal(number));
    if (this.hasTerminal) this.listen("SIGWINCH", () => inlet.resized());
    this.input.attach(inlet);
  }

  detach(): void {
    this.input.detach();
    for (const [name, listener] of this.listeners) process.off(name, listener);
    this.listeners.length = 0;
  }

  pump(): boolean {
    return this.input.pump();
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

  private listen(name: NodeJS.Signals, listener: () => void): void {
    if (constants.signals[name] === undefined) return;
    process.on(name, listener);
    this.listeners.push([name, listener]);
  }
}
