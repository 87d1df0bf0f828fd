/**
 * Brings two processors to the same instruction of a program that neither has stopped in. Budget units are not the same
 * on two engines, so after the same budget one of them is behind; which one shows only when it comes to where the other
 * has been. Both go on instruction by instruction until that happens.
 */
import { RFLAGS } from "../registers.ts";
import type { Replica } from "./replica.ts";
import { STEPPED } from "./replica.ts";

/** "met": same registers, both running. "stopped": one has come to a stop. "lost": neither within the limit. */
export type Meeting = "met" | "stopped" | "lost";

/** Steps both until their registers (flags apart) are the same, at most `limit` times each. */
export function meet(first: Replica, second: Replica, limit: number): Meeting {
  const trails = [new Trail(first), new Trail(second)] as const;
  if (trails[0].here === trails[1].here) return "met";
  for (let step = 0; step < limit; step++) {
    for (const [mover, other] of [trails, [trails[1], trails[0]] as const]) {
      if (!mover.step()) return "stopped";
      const passed = other.visits.get(mover.here);
      if (passed === undefined) continue;
      for (let behind = other.steps - passed; behind > 0; behind--) if (!mover.step()) return "stopped";
      if (mover.here === other.here) return "met";
    }
  }
  return "lost";
}

/** Where a processor has been, as numbers made of all its registers, and when. */
class Trail {
  readonly visits = new Map<number, number>();
  steps = 0;
  here: number;
  private readonly replica: Replica;

  constructor(replica: Replica) {
    this.replica = replica;
    this.here = fingerprint(replica);
    this.visits.set(this.here, 0);
  }

  step(): boolean {
    if (this.replica.step() !== STEPPED) return false;
    this.here = fingerprint(this.replica);
    this.visits.set(this.here, ++this.steps);
    return true;
  }
}

/** 53 bits of hash of the general registers and RIP. */
function fingerprint({ engine }: Replica): number {
  const { general } = engine.cpu;
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (let i = 0; i < general.length; i++) {
    if (i >> 1 === RFLAGS) continue;
    low = Math.imul(low ^ general[i]!, 0x01000193);
    high = Math.imul(high ^ general[i]! ^ (low >>> 15), 0x85ebca6b);
  }
  return (high >>> 11) * 4294967296 + (low >>> 0);
}
