/**
 * The host of a machine: the world its kernel sees, and the two things a machine needs that a kernel does not, a turn
 * for the host's own events and a place where input and signals come in.
 */
import type { World } from "../kernel/world.ts";

/** Where a host puts what happens outside. All of it may be called at any time between `attach` and `detach`. */
export interface Inlet {
  /** Bytes for the console; returns how many were taken. The rest is offered again after `wantInput`. */
  input(bytes: Uint8Array): number;
  /** Standard input has ended. */
  inputEnd(): void;
  /** The terminal has another size. */
  resized(): void;
  /** A signal for the guest's main process, such as the SIGINT of a Ctrl-C outside of a terminal. */
  signal(number: number): void;
}

export interface MachineHost {
  readonly world: World;

  /** The machine starts: from now on events go to the inlet. */
  attach(inlet: Inlet): void;

  /** The machine has ended: terminal modes are restored and nothing is listened to any more. */
  detach(): void;

  /** Hands over what input can be had without waiting, if the guest wants any; true if something was taken. */
  pump(): boolean;

  /** The machine has waited in real time until the clock should say this: one that stands still is put forward. */
  waitedUntil(time: number): void;

  /** Lets the host's event loop go round once. */
  turn(): Promise<void>;

  /** Milliseconds of real time, for limits. */
  milliseconds(): number;
}
