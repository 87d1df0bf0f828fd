/** The host's clock: the machine's time is real time since its boot. */
import type { Clock } from "../kernel/world.ts";

export class HostClock implements Clock {
  readonly bootTime: { readonly seconds: number; readonly nanoseconds: number };
  private readonly origin = performance.now();

  constructor() {
    const milliseconds = performance.timeOrigin + this.origin;
    const seconds = Math.floor(milliseconds / 1000);
    this.bootTime = { seconds, nanoseconds: Math.floor((milliseconds - seconds * 1000) * 1e6) };
  }

  now(): number {
    return Math.floor((performance.now() - this.origin) * 1e6);
  }

  executed(): void {
    // Real time needs no help.
  }

  skipTo(): boolean {
    return false;
  }
}
