/** The ways the engine executes code, for tests of what must be the same on all of them. */
import { describe, onTestFinished } from "vitest";
import { TestMachine } from "../../contract/test-machine.ts";
import { createWasmEngine, type InspectableEngine } from "../wasm-engine.ts";

export interface Tier {
  readonly name: string;
  readonly hotRuns: number;
}

/** Blocks are compiled never, at their first run, or when more of the program around them is known. */
export const TIERS: readonly Tier[] = [
  { name: "interpreted", hotRuns: Infinity },
  { name: "compiled at once", hotRuns: 1 },
  { name: "compiled when warm", hotRuns: 5 },
];

/** A machine that also says what its engine did. */
export class TierMachine extends TestMachine {
  declare readonly engine: InspectableEngine;

  constructor(hotRuns: number, size?: number) {
    super((memory) => createWasmEngine(memory, { hotRuns }), size);
    onTestFinished(() => this.engine.dispose());
  }

  get statistics(): InspectableEngine["translator"]["statistics"] {
    return this.engine.translator.statistics;
  }

  /** The frame that an address is mapped to. */
  frameOf(address: number): number {
    return this.memory.u32[this.entryIndex(address)]! >>> 12;
  }
}

/** Declares a group of tests for every tier. */
export function describeTiers(title: string, body: (create: (size?: number) => TierMachine, tier: Tier) => void): void {
  for (const tier of TIERS) {
    describe(`${title} (${tier.name})`, () => body((size) => new TierMachine(tier.hotRuns, size), tier));
  }
}
