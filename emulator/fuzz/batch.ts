/** Batches of cases: code packed into pages, some of them followed by nothing. */
import { PAGE_SIZE } from "../physical-memory.ts";
import type { Form } from "./forms.ts";
import { Generator } from "./generator.ts";
import { STATE_SIZE, type Batch } from "./protocol.ts";
import { Random } from "./random.ts";
import type { Sequence } from "./sequence.ts";
import { CODE, CODE_HOLE, DATA_PAGES, dataContents, EXECUTE, READ, type WindowPage } from "./windows.ts";

export interface BatchOptions {
  readonly seed: number;
  readonly cases: number;
  /** Also MXCSR: its roundings at the start, its flags at the end. */
  readonly strict?: boolean;
  readonly forms: readonly Form[];
  /** Forms of the other instructions of a sequence. */
  readonly fillers: readonly Form[];
}

/** Half of the sequences that reach the end of a code window are cut there; the others begin behind the hole. */
const CUT_CHANCE = 0.5;

export class BatchMaker {
  private readonly options: BatchOptions;
  private readonly generator: Generator;

  constructor(options: BatchOptions) {
    this.options = options;
    this.generator = new Generator(options.forms, options.strict ?? false, options.fillers);
  }

  /** The batch of a number; batches do not depend on each other. */
  make(number: number): Batch {
    const { seed, cases, strict } = this.options;
    const random = new Random(seed, number);
    const data = dataContents(random, strict ?? false);
    const states = new Uint8Array(cases * STATE_SIZE);
    const sequences: Sequence[] = [];
    const first = number * cases;
    let address = CODE;
    for (let i = 0; i < cases; i++) {
      const state = new DataView(states.buffer, i * STATE_SIZE, STATE_SIZE);
      const hole =
        CODE + (Math.floor((address - CODE) / PAGE_SIZE / CODE_HOLE) + 1) * CODE_HOLE * PAGE_SIZE - PAGE_SIZE;
      let sequence = this.generator.generate(random, first + i, address, state);
      const room = hole - address;
      if (room < sequence.bytes.length) {
        address = hole + PAGE_SIZE;
        const cut = room > 0 && random.chance(CUT_CHANCE);
        if (cut) sequence = { ...sequence, bytes: sequence.bytes.slice(0, room) };
        else sequence = this.generator.generate(random, first + i, address, state);
        if (!cut) address += sequence.bytes.length;
      } else address += sequence.bytes.length;
      sequences.push(sequence);
    }
    return assembleBatch(data, sequences, states);
  }
}

/** Lays out the code of sequences: pages that none of them touches are absent. */
export function assembleBatch(data: Uint8Array, sequences: readonly Sequence[], states: Uint8Array): Batch {
  const pages: WindowPage[] = [...DATA_PAGES];
  const indexes = new Map<number, number>();
  for (const { address, bytes } of sequences) {
    for (let page = address - (address % PAGE_SIZE); page < address + bytes.length; page += PAGE_SIZE) {
      if (indexes.has(page)) continue;
      indexes.set(page, pages.length);
      pages.push({ address: page, access: READ | EXECUTE });
    }
  }
  const contents = new Uint8Array(pages.length * PAGE_SIZE).fill(0xcc, data.length);
  contents.set(data);
  for (const { address, bytes } of sequences) {
    for (let done = 0; done < bytes.length;) {
      const offset = (address + done) % PAGE_SIZE;
      const piece = bytes.subarray(done, done + PAGE_SIZE - offset);
      contents.set(piece, indexes.get(address + done - offset)! * PAGE_SIZE + offset);
      done += piece.length;
    }
  }
  return { pages, contents, sequences, states };
}
