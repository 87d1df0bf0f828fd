/** Which engine `auto` stands for (docs/engines.md). */
import { PhysicalMemory } from "../../emulator/physical-memory.ts";
import { createUnicornEngine } from "../../emulator/unicorn/unicorn-engine.ts";
import { DEFAULT_CPU_MODEL, type CpuModel } from "../../emulator/wasm/runtime/cpu-model.ts";

/** What the choice depends on. */
export interface Circumstances {
  /** The processor that programs are to see. */
  readonly cpu: CpuModel;
  /** Whether the addon and a libunicorn that it accepts can be loaded. Asked only where it matters. */
  readonly hasUnicorn: () => boolean;
}

export interface Choice {
  readonly engine: "unicorn" | "wasm";
  readonly because: string;
}

interface Rule extends Choice {
  readonly when: (circumstances: Circumstances) => boolean;
}

/** The first row that fits counts; the last one always does. */
const RULES: readonly Rule[] = [
  {
    when: ({ cpu }) => cpu !== DEFAULT_CPU_MODEL,
    engine: "wasm",
    because: "Unicorn has no AVX",
  },
  {
    when: ({ hasUnicorn }) => hasUnicorn(),
    engine: "unicorn",
    because: "it starts programs faster and runs large ones faster; wasm is faster in small hot loops",
  },
  {
    when: () => true,
    engine: "wasm",
    because: "it needs nothing that has to be installed or compiled",
  },
];

/** The engine for some circumstances, and why. */
export function chooseEngine(circumstances: Circumstances): Choice {
  const { engine, because } = RULES.find(({ when }) => when(circumstances))!;
  return { engine, because };
}

let isUnicornThere: boolean | undefined;

/** Whether a Unicorn engine can be made in this process: found out by making one, once. */
export function hasUnicorn(): boolean {
  isUnicornThere ??= canMakeUnicorn();
  return isUnicornThere;
}

/** Just enough RAM for its tables. */
const LITTLE_RAM = 1 << 20;

function canMakeUnicorn(): boolean {
  try {
    createUnicornEngine(new PhysicalMemory(LITTLE_RAM)).dispose();
    return true;
  } catch (error) {
    // A plain Error says what is missing; any other is a mistake in our code.
    if (error instanceof Error && error.constructor === Error) return false;
    throw error;
  }
}
