/** A clock that moves with executed work alone, so that a run is a function of its inputs. */
import type { Clock } from "../kernel/world.ts";

/** What a budget unit and a run of the engine are worth: near the real cost, so that time slices last as long. */
const UNIT_NS = 2;
const RUN_NS = 400;

/** 2026-01-01 00:00:00 UTC, when every virtual machine boots unless told otherwise. */
const VIRTUAL_BOOT = 1767225600;

export class VirtualClock implements Clock {
  readonly bootTime: { readonly seconds: number; readonly nanoseconds: number };
  private time = 0;
  private readonly mayJump: () => boolean;

  /** @param mayJump false while input may come that a sleep must not run ahead of */
  constructor(mayJump: () => boolean = () => true, bootSeconds = VIRTUAL_BOOT) {
    this.mayJump = mayJump;
    this.bootTime = { seconds: bootSeconds, nanoseconds: 0 };
  }

  now(): number {
    return this.time;
  }

  executed(units: number): void {
    this.time += RUN_NS + units * UNIT_NS;
  }

  skipTo(time: number): boolean {
    if (time === Infinity || !this.mayJump()) return false;
    this.advanceTo(time);
    return true;
  }

  /** The machine has waited for input in real time, for as long as this. */
  advanceTo(time: number): void {
    if (time > this.time) this.time = time;
  }
}
