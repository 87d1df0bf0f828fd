/** A fuzzing run: batches to the host and to an engine, differences traced to their instructions and sorted. */
import { BatchMaker } from "../batch.ts";
import { Comparison, provideSameBytes, type CompareOptions, type Difference } from "../compare.ts";
import { Coverage } from "../coverage.ts";
import { culpritsOf, findCulprit, minimize, type Culprit, type Verdict } from "../culprit.ts";
import type { EngineRunner } from "../engine-runner.ts";
import { supportedForms, type Form } from "../forms.ts";
import { loadDecoder } from "../../wasm/decode.ts";
import { firstOperandAddress } from "../operand-address.ts";
import { STATE_SIZE, TIMED_OUT, type Batch, type HardwareResult } from "../protocol.ts";
import type { Item } from "../sequence.ts";
import { describeCulprit, describeItem } from "../report.ts";
import type { Failure, Results } from "../results.ts";
import { allowance, LOOP_END, type Occasion } from "../undefined.ts";
import type { Hardware } from "./hardware.ts";

export interface SessionOptions extends CompareOptions {
  readonly seed: number;
  readonly forms: readonly Form[];
  readonly fillers: readonly Form[];
  readonly casesPerBatch: number;
  /** Failures of one kind that are minimized and kept. */
  readonly examples: number;
}

interface Explanation {
  readonly unexplained: readonly Difference[];
  readonly reasons: ReadonlySet<string>;
}

/** Compares memory as fast as Node can. */
provideSameBytes((a, b) => Buffer.compare(a, b) === 0);

export class Session {
  readonly coverage = new Coverage();
  readonly failures = new Map<string, Failure>();
  readonly reasons = new Map<string, number>();
  readonly deaths: string[] = [];
  /** Differences that a second run of the case alone did not show. */
  readonly unrepeated: string[] = [];
  sequences = 0;
  timeouts = 0;
  private readonly names: ReadonlyMap<number, string>;
  private readonly maker: BatchMaker;
  private readonly hardware: Hardware;
  private readonly runner: EngineRunner;
  private readonly options: SessionOptions;

  constructor(hardware: Hardware, runner: EngineRunner, options: SessionOptions) {
    this.hardware = hardware;
    this.runner = runner;
    this.options = options;
    const { seed, casesPerBatch, strict, forms, fillers } = options;
    this.maker = new BatchMaker({ seed, cases: casesPerBatch, strict, forms, fillers });
    this.names = new Map([...supportedForms(), ...fillers, ...forms].map(({ code, name }) => [code, name]));
  }

  /** Runs the batch of a number, or one case of it; returns how many cases differed without a reason. */
  runBatch(number: number, only?: number): number {
    const batch = this.maker.make(number);
    const results = this.onHardware(batch, number);
    const { runner } = this;
    runner.load(batch);
    const comparison = new Comparison(batch, this.options);
    const differing: { readonly number: number; readonly found: readonly Difference[] }[] = [];
    for (let i = 0; i < batch.sequences.length; i++) {
      const hardware = results[i];
      if (!hardware || (only !== undefined && only !== i)) continue;
      this.sequences++;
      if (hardware.vector === TIMED_OUT) {
        this.timeouts++;
        continue;
      }
      this.coverage.add(batch.sequences[i]!, hardware);
      const engine = runner.run(i);
      const found = comparison.differences(i, hardware, engine);
      if (found.length > 0) differing.push({ number: i, found });
      runner.restore();
    }
    return differing.filter(({ number: i, found }) => this.examine(batch, number, i, found)).length;
  }

  /** @param subject what is compared @param seconds how long it took */
  results(subject: string, seconds: number): Results {
    const { options, coverage, sequences, timeouts, failures, reasons, deaths, unrepeated } = this;
    return {
      subject,
      seeds: [options.seed],
      sequences,
      seconds,
      timeouts,
      failures: [...failures.values()],
      reasons: Object.fromEntries(reasons),
      lost: [...deaths, ...unrepeated.map((place) => `not seen again: ${place}`)],
      coverage: Object.fromEntries(options.forms.map(({ name, code }) => [name, coverage.of(code)])),
    };
  }

  /** The instructions of one case. */
  listing(number: number, only: number): string {
    const sequence = this.maker.make(number).sequences[only]!;
    return `${sequence.items.map((item) => describeItem(sequence, item)).join("\n")}\n`;
  }

  /** Results by case; a case at which the harness died has none. */
  private onHardware(batch: Batch, number: number): (HardwareResult | undefined)[] {
    const results: (HardwareResult | undefined)[] = [];
    while (results.length < batch.sequences.length) {
      const done = results.length;
      const output = this.hardware.run({
        ...batch,
        sequences: batch.sequences.slice(done),
        states: batch.states.subarray(done * STATE_SIZE),
      });
      results.push(...output.results);
      if (!output.intact) this.deaths.push(`batch ${number}: a case wrote to the harness`);
      if (output.complete) break;
      this.deaths.push(`batch ${number} case ${results.length}: the harness ended with ${output.death}`);
      results.push(undefined);
    }
    return results;
  }

  private readonly judge = (batch: Batch): Verdict => {
    const hardware = this.hardware.run(batch).results[0];
    if (!hardware || hardware.vector === TIMED_OUT) return { differences: [], hardware };
    this.runner.load(batch);
    const engine = this.runner.run(0);
    return { differences: new Comparison(batch, this.options).differences(0, hardware, engine), hardware };
  };

  /** Differences without a reason, and the reasons of the others; where the stop may differ, everything may. */
  private explain({ item, sequence, before, vector, differences }: Culprit): Explanation {
    const forms = sequence.items.map(({ code }) => this.nameOf(code));
    const occasionOf = ({ code, offset, length }: Item, state: Uint8Array | undefined): Occasion => {
      const bytes = sequence.bytes.subarray(offset, offset + length);
      const address = state && firstOperandAddress(loadDecoder(), bytes, sequence.address + offset, state);
      return { form: this.nameOf(code), bytes, before: state, address, vector, forms, differences };
    };
    const own = [occasionOf(item, before)];
    // A later round of a loop: any instruction may have made the difference, from registers that are not known.
    const last = sequence.items.at(-1) ?? item;
    const loops = LOOP_END.test(this.nameOf(last.code));
    const others = loops ? sequence.items.map((each) => occasionOf(each, undefined)) : [];
    const reasons = new Set<string>();
    let stopAllowed = false;
    const rest = differences.filter((difference) => {
      const stopsHere = difference.what === "stop" && item !== last;
      const reason = (stopsHere ? own : [...own, ...others])
        .map((occasion) => allowance(occasion, difference, this.options.strict))
        .find((text) => text !== undefined);
      if (reason === undefined) return true;
      reasons.add(reason);
      stopAllowed ||= difference.what === "stop";
      return false;
    });
    return { unexplained: stopAllowed ? [] : rest, reasons };
  }

  private nameOf(code: number): string {
    return this.names.get(code) ?? "(no instruction)";
  }

  /**
   * True when some instruction of a case may differ so: what the host keeps until a switch of contexts is not there a
   * second time.
   */
  private mayDiffer(batch: Batch, i: number, differences: readonly Difference[]): boolean {
    return culpritsOf(batch, i, differences, this.judge).some((culprit) => {
      const { unexplained, reasons } = this.explain(culprit);
      if (unexplained.length === 0) this.count(reasons);
      return unexplained.length === 0;
    });
  }

  private count(reasons: ReadonlySet<string>): void {
    for (const reason of reasons) this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }

  /** True when the difference is a failure. */
  private examine(batch: Batch, batchNumber: number, i: number, found: readonly Difference[]): boolean {
    const place = `--seed ${this.options.seed} --batch ${batchNumber} --case ${i}`;
    const culprit = findCulprit(batch, i, this.judge);
    if (!culprit) {
      if (this.mayDiffer(batch, i, found)) return false;
      const texts = found.slice(0, 3).map(({ what, hardware, engine }) => `${what} ${hardware} ${engine}`);
      this.unrepeated.push(`${place}: ${texts.join(", ")}`);
      return true;
    }
    const { code } = culprit.item;
    const name = this.nameOf(code);
    this.coverage.addDifference(code);
    const { unexplained, reasons } = this.explain(culprit);
    this.count(reasons);
    if (unexplained.length === 0) return false;
    const key = `${name}: ${kindOf(unexplained)}`;
    const failure = this.failures.get(key) ?? { key, count: 0, examples: [] };
    this.failures.set(key, failure);
    failure.count++;
    if (failure.examples.length < this.options.examples) {
      const matters = (candidate: Culprit): boolean => this.explain(candidate).unexplained.length > 0;
      const least = minimize(culprit, batch, i, this.judge, matters);
      failure.examples.push(`${describeCulprit(least, name)}\n  ${place}`);
    }
    return true;
  }
}

/** What differs, without numbers of registers: failures with the same text are one. */
function kindOf(differences: readonly Difference[]): string {
  const stop = differences.find(({ what }) => what === "stop");
  if (stop) {
    const text = (words: string): string => words.replace(/ address.*/, "");
    return text(stop.hardware) === text(stop.engine)
      ? "fault address"
      : `${text(stop.hardware)} is ${text(stop.engine)}`;
  }
  return [
    ...new Set(
      differences.map(({ what }) =>
        what
          .replace(/^(x|y)mm\d+/, "$1mm")
          .replace(/^st\d/, "st")
          .replace(/^r(\d+|[abcds][xpi]|[sd]i)$/, "gpr"),
      ),
    ),
  ].join(" ");
}
