/** A machine seen from the page: a worker that is made for one program and ended with it. */
import type { FromWorker, RunRequest, TerminalSize, ToWorker } from "./protocol.ts";

export interface SessionEvents {
  /** Calls `shown` when the bytes are on the screen. */
  readonly output: (bytes: Uint8Array, shown: () => void) => void;
  /** Comes once, whether the program ended or could not be started. */
  readonly ended: (message: Exclude<FromWorker, { kind: "output" }>) => void;
}

export class Session {
  private readonly worker = new Worker("worker.js", { type: "module" });

  constructor(request: RunRequest, { output, ended }: SessionEvents) {
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "output") {
        return output(data.bytes, () => this.send({ kind: "shown", count: data.bytes.length }));
      }
      this.stop();
      ended(data);
    };
    this.worker.onerror = ({ message }) => {
      this.stop();
      ended({ kind: "refused", message: message || "worker.js could not be loaded" });
    };
    this.send(request);
  }

  input(bytes: Uint8Array): void {
    this.send({ kind: "input", bytes });
  }

  resize(size: TerminalSize): void {
    this.send({ kind: "resize", size });
  }

  /** Ends the machine wherever it is. */
  stop(): void {
    this.worker.terminate();
  }

  private send(message: ToWorker): void {
    this.worker.postMessage(message);
  }
}
