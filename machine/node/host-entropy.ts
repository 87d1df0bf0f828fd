/** Entropy of the host's kernel. */
import { openSync, readSync, closeSync } from "node:fs";
import type { Entropy } from "../../kernel/world.ts";

/** Bytes fetched at a time: programs ask for a few, often. */
const POOL_SIZE = 4096;

export class HostEntropy implements Entropy {
  private readonly pool = new Uint8Array(POOL_SIZE);
  private used = POOL_SIZE;

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.used === POOL_SIZE) this.refill();
      const count = Math.min(bytes.length - at, POOL_SIZE - this.used);
      bytes.set(this.pool.subarray(this.used, this.used + count), at);
      // What was handed out is not kept.
      this.pool.fill(0, this.used, this.used + count);
      this.used += count;
      at += count;
    }
  }

  /** The device is read directly: loading Node's crypto takes longer than starting a guest. */
  private refill(): void {
    let device = -1;
    try {
      device = openSync("/dev/urandom", "r");
      if (readSync(device, this.pool, 0, POOL_SIZE, null) < POOL_SIZE) throw new Error("short read");
    } catch {
      crypto.getRandomValues(this.pool);
    } finally {
      if (device >= 0) closeSync(device);
    }
    this.used = 0;
  }
}
