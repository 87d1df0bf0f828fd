/**
 * Standard input of the process, handed to the machine as the guest asks for it. Files are read on the spot; pipes and
 * terminals through Node's streams, which are not even loaded before the guest wants to read (a terminal is: its
 * Ctrl-C has to arrive while the guest computes).
 */
import type * as ChildProcesses from "node:child_process";
import { readSync } from "node:fs";
import { createRequire } from "node:module";
import type { StreamKind } from "../../kernel/world.ts";
import { EAGAIN } from "../../abi/errno.ts";
import type { Inlet } from "../host.ts";
import { negativeErrno } from "./host-errno.ts";

const CHUNK = 65536;

/**
 * The guest's terminal turns a newline into carriage return and newline where the guest wants that; the host's must not
 * do so as well. Node's raw mode leaves it on, but takes it back with the rest at the end.
 */
function stopOutputProcessing(): void {
  const { spawnSync } = createRequire(import.meta.url)("node:child_process") as typeof ChildProcesses;
  spawnSync("stty", ["-opost"], { stdio: "inherit" });
}

export class StandardInput {
  private readonly kind: StreamKind;
  private inlet: Inlet | null = null;
  /** Read but not taken by the guest yet. */
  private held: Uint8Array = new Uint8Array(0);
  private wanted = false;
  private ended = false;
  private endTold = false;
  private streaming = false;
  private readonly onData = (bytes: Uint8Array): void => this.receive(bytes);
  private readonly onEnd = (): void => {
    this.ended = true;
    this.deliver();
  };

  constructor(kind: StreamKind) {
    this.kind = kind;
  }

  attach(inlet: Inlet): void {
    this.inlet = inlet;
    if (this.kind === "null") this.onEnd();
    if (this.kind !== "terminal") return;
    process.stdin.setRawMode(true);
    stopOutputProcessing();
    this.startStream();
  }

  detach(): void {
    this.inlet = null;
    if (!this.streaming) return;
    const { stdin } = process;
    stdin.off("data", this.onData).off("end", this.onEnd).off("error", this.onEnd);
    stdin.pause();
    if (this.kind === "terminal") stdin.setRawMode(false);
    stdin.unref?.();
  }

  /** The guest has read all it had. */
  want(): void {
    this.wanted = true;
  }

  /** The guest waits and there may be more to come. */
  get expected(): boolean {
    return this.wanted && !this.endTold;
  }

  /** Hands over what can be had without waiting; true if something was. */
  pump(): boolean {
    if (!this.wanted || this.endTold) return false;
    if (this.held.length > 0 || this.ended) return this.deliver();
    if (this.kind === "file") {
      this.readFile();
      return this.deliver();
    }
    if (this.streaming) process.stdin.resume();
    else this.startStream();
    return false;
  }

  private readFile(): void {
    const chunk = new Uint8Array(CHUNK);
    try {
      const count = readSync(0, chunk, 0, CHUNK, null);
      this.held = chunk.subarray(0, count);
      this.ended = count === 0;
    } catch (error) {
      // EISDIR and the like: nothing will ever be read.
      this.ended = negativeErrno(error) !== -EAGAIN.number;
    }
  }

  private startStream(): void {
    this.streaming = true;
    process.stdin.on("data", this.onData).on("end", this.onEnd).on("error", this.onEnd);
  }

  private receive(bytes: Uint8Array): void {
    this.held = this.held.length > 0 ? Buffer.concat([this.held, bytes]) : bytes;
    this.deliver();
    // A terminal is never paused: the line discipline decides what to drop.
    if (this.held.length > 0 && this.kind !== "terminal") process.stdin.pause();
  }

  private deliver(): boolean {
    const { inlet } = this;
    if (!inlet || this.endTold) return false;
    let taken = 0;
    if (this.held.length > 0) {
      taken = inlet.input(this.held);
      this.held = this.held.subarray(taken);
      if (taken > 0) this.wanted = false;
    }
    if (this.held.length > 0 || !this.ended) return taken > 0;
    this.endTold = true;
    inlet.inputEnd();
    return true;
  }
}
