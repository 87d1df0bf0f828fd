/** What a run found, as text: failures in full, differences with a reason as a count, coverage as a table. */
import { REGISTER_NAMES } from "../registers.ts";
import { loadDecoder } from "../wasm/decode.ts";
import { hitsOf, reasonToFault } from "./coverage.ts";
import type { Culprit } from "./culprit.ts";
import { operandAddresses } from "./operand-address.ts";
import { STATE_FXSAVE, STATE_RFLAGS, STATE_ST, STATE_XMM } from "./protocol.ts";
import type { Results } from "./results.ts";
import type { Item, Sequence } from "./sequence.ts";
import { DATA_PAGES } from "./windows.ts";
import { PAGE_SIZE } from "../physical-memory.ts";

const NOP = 0x90;
/** Hits of a form that tell something about it. */
const ENOUGH = 1000;

const hexBytes = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
const number = (bytes: Uint8Array): string => hexBytes(bytes.slice().reverse()).replaceAll(" ", "");

/** One instruction (with FWAIT two): address, bytes, both syntaxes. */
export function describeItem(sequence: Sequence, item: Item): string {
  const x = loadDecoder();
  const bytes = sequence.bytes.subarray(item.offset, item.offset + item.length);
  const decoder = new x.Decoder(64, bytes, x.DecoderOptions.None);
  const address = sequence.address + item.offset;
  decoder.ip = BigInt(address);
  const texts: [string[], string[]] = [[], []];
  while (decoder.canDecode) {
    const instruction = decoder.decode();
    [x.FormatterSyntax.Intel, x.FormatterSyntax.Gas].forEach((syntax, i) => {
      const formatter = new x.Formatter(syntax);
      texts[i]!.push(formatter.format(instruction));
      formatter.free();
    });
    instruction.free();
  }
  decoder.free();
  const [intel, gas] = texts.map((parts) => parts.join("; "));
  return `${address.toString(16)}  ${hexBytes(bytes).padEnd(30)}  ${intel!.padEnd(40)}  ${gas}`;
}

/** A failure with everything needed to see it again by hand. */
export function describeCulprit({ sequence, item, differences, before, data }: Culprit, name: string): string {
  const lines = [`${name}:`];
  for (const each of sequence.items) {
    if (sequence.bytes[each.offset] === NOP && each !== item && each.length > 0) continue;
    lines.push(`  ${describeItem(sequence, each)}`);
  }
  for (const { what, at, hardware, engine } of differences.slice(0, 6)) {
    lines.push(`  ${what}${at === undefined ? "" : ` ${at.toString(16)}`}: hardware ${hardware}, engine ${engine}`);
  }
  if (differences.length > 6) lines.push(`  and ${differences.length - 6} more`);
  if (before) lines.push(...describeInput(sequence, item, before, data).map((line) => `  ${line}`));
  return lines.join("\n");
}

/** The registers and memory that an instruction uses, as they are in front of it. */
function describeInput(sequence: Sequence, item: Item, state: Uint8Array, data: Uint8Array): string[] {
  const x = loadDecoder();
  const decoder = new x.Decoder(64, sequence.bytes.subarray(item.offset, item.offset + item.length), 0);
  decoder.ip = BigInt(sequence.address + item.offset);
  let instruction = decoder.decode();
  if (instruction.mnemonic === x.Mnemonic.Wait && decoder.canDecode) {
    instruction.free();
    instruction = decoder.decode();
  }
  const factory = new x.InstructionInfoFactory();
  const info = factory.info(instruction);
  const parts = new Set([`rflags=${number(state.subarray(STATE_RFLAGS, STATE_RFLAGS + 4))}`]);
  for (const used of info.usedRegisters() as { register: number; free(): void }[]) {
    const full = x.RegisterExt.fullRegister(used.register);
    if (full >= x.Register.RAX && full <= x.Register.R15) {
      const i = full - x.Register.RAX;
      parts.add(`${REGISTER_NAMES[i]}=${number(state.subarray(i * 8, i * 8 + 8))}`);
    }
    const vector = x.RegisterExt.isVectorRegister(used.register) ? x.RegisterExt.number(used.register) : -1;
    if (vector >= 0)
      parts.add(`xmm${vector}=${number(state.subarray(STATE_XMM + vector * 16, STATE_XMM + vector * 16 + 16))}`);
    used.free();
  }
  const memory: string[] = [];
  for (const address of operandAddresses(x, instruction, state)) {
    const page = DATA_PAGES.findIndex((each) => address >= each.address && address < each.address + PAGE_SIZE);
    const at = page * PAGE_SIZE + (address % PAGE_SIZE);
    if (page >= 0) memory.push(`[${address.toString(16)}]=${hexBytes(data.subarray(at, at + 16))} (at the start)`);
  }
  const name = x.Mnemonic[instruction.mnemonic]!;
  const mmx = [0, 1].some((i) => i < instruction.opCount && x.RegisterExt.isMM(instruction.opRegister(i)));
  if (name.startsWith("F") || mmx) {
    parts.add(`fcw=${number(state.subarray(STATE_FXSAVE, STATE_FXSAVE + 2))}`);
    parts.add(`fsw=${number(state.subarray(STATE_FXSAVE + 2, STATE_FXSAVE + 4))}`);
    parts.add(`ftw=${number(state.subarray(STATE_FXSAVE + 4, STATE_FXSAVE + 5))}`);
    for (let i = 0; i < 8; i++)
      parts.add(`st${i}=${number(state.subarray(STATE_ST + i * 16, STATE_ST + i * 16 + 10))}`);
  }
  [instruction, decoder, factory, info].forEach((each) => each.free());
  return [`before: ${[...parts].join(" ")}`, ...memory];
}

/** All of a run's results, failures first. */
export function resultsText(results: Results, withCoverage: boolean): string {
  const { failures, reasons, coverage, lost } = results;
  const lines = [...failures]
    .sort((a, b) => b.count - a.count)
    .flatMap(({ key, count, examples }) => [`== ${count} x ${key}`, ...examples]);
  lines.push(...lost);
  for (const [reason, count] of Object.entries(reasons)) lines.push(`allowed ${count} times: ${reason}`);
  if (withCoverage) lines.push(coverageTable(coverage));
  const hits = Object.entries(coverage).map(([name, count]) => [name, hitsOf(name, count)] as const);
  const least = hits.reduce((a, b) => (b[1] < a[1] ? b : a));
  const total = failures.reduce((sum, { count }) => sum + count, 0);
  lines.push(
    `${results.sequences} sequences of ${hits.length} forms, ${results.subject}, seed ${results.seeds.join(", ")}, in ${results.seconds.toFixed(1)} s`,
    `forms hit at least ${ENOUGH} times: ${hits.filter(([, count]) => count >= ENOUGH).length}; least: ${least[1]}, ${least[0]}`,
    `used up their time: ${results.timeouts}; failures: ${total} of ${failures.length} kinds`,
  );
  return `${lines.join("\n")}\n`;
}

/** One line a form, those hit least first. */
function coverageTable(coverage: Results["coverage"]): string {
  const rows = Object.entries(coverage).sort(([a, x], [b, y]) => hitsOf(a, x) - hitsOf(b, y));
  const line = (name: string, columns: readonly (number | string)[], remark = ""): string =>
    `${name.padEnd(40)}${columns.map((column) => String(column).padStart(12)).join("")}${remark}`;
  return [
    line("form", ["executed", "faulted", "chosen", "differences"]),
    ...rows.map(([name, { executed, faulted, chosen, differences }]) => {
      const reason = reasonToFault(name);
      return line(name, [executed, faulted, chosen, differences], reason && `  ${reason}`);
    }),
  ].join("\n");
}
