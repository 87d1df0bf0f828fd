/** A fixed piece of `make fuzz-cpu`: the wasm engine does what this processor does. */
import { expect, test } from "vitest";
import { createWasmEngine } from "../../wasm/wasm-engine.ts";
import { EngineRunner } from "../engine-runner.ts";
import { supportedForms } from "../forms.ts";
import { Hardware, hardwareMissing } from "./hardware.ts";
import { Session } from "./session.ts";

const BATCHES = 2;
const CASES = 1000;

const missing = hardwareMissing();
if (missing !== undefined) console.log(`fuzz: the processor is not asked: ${missing}`);

test.skipIf(missing !== undefined)(
  "random sequences have the same results on this processor and on the wasm engine",
  () => {
    const hardware = new Hardware();
    const runner = new EngineRunner((memory) => createWasmEngine(memory));
    try {
      const forms = supportedForms();
      const options = {
        seed: 2026,
        forms,
        fillers: forms,
        casesPerBatch: CASES,
        examples: 1,
        strict: false,
        ymm: false,
      };
      const session = new Session(hardware, runner, options);
      for (let number = 0; number < BATCHES; number++) session.runBatch(number);
      expect(session.sequences).toBe(BATCHES * CASES);
      expect([...session.failures.values()].flatMap(({ examples }) => examples).join("\n")).toBe("");
      expect([...session.deaths, ...session.unrepeated]).toEqual([]);
    } finally {
      runner.dispose();
      hardware.dispose();
    }
  },
);
