/** The host's processor as judge: executes single instructions in given states. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MEMORY_BYTES, type State } from "./cases.ts";

const CODE_BYTES = 16;
const GPRS = 24;
const RFLAGS = GPRS + 128;
const MXCSR = RFLAGS + 8;
const YMM = MXCSR + 8;
const MEMORY = YMM + 512;
const RECORD = MEMORY + MEMORY_BYTES;

export interface NativeCase {
  readonly code: Uint8Array;
  readonly state: State;
}

export interface NativeResult {
  /** 0, or the signal that the instruction raised; the state is meaningless then. */
  readonly signal: number;
  readonly state: State;
}

const WANTED = ["avx2", "bmi1", "bmi2", "fma", "f16c", "movbe", "abm", "aes", "pclmulqdq", "sha_ni"];

/** Whether this host can be the judge: x86-64 with all that level 3 and we have, and a C compiler. */
export function hasNativeJudge(): boolean {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "latin1"))?.[1]?.split(" ") ?? [];
    execFileSync("gcc", ["--version"], { stdio: "ignore" });
    return WANTED.every((flag) => flags.includes(flag));
  } catch {
    return false;
  }
}

let harness: string | undefined;

/** The harness, compiled when it is first needed and kept while this process lives. */
function builtHarness(): string {
  if (harness) return harness;
  const folder = mkdtempSync(join(tmpdir(), "trapgate-native-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  harness = join(folder, "harness");
  const source = new URL("harness.c", import.meta.url).pathname;
  execFileSync("gcc", ["-O1", "-no-pie", "-o", harness, source], { stdio: "pipe" });
  return harness;
}

export function runNatively(cases: readonly NativeCase[]): NativeResult[] {
  const input = new Uint8Array(cases.length * RECORD);
  cases.forEach((item, i) => write(input.subarray(i * RECORD, (i + 1) * RECORD), item));
  const output = execFileSync(builtHarness(), { input, maxBuffer: input.length + RECORD, timeout: 60_000 });
  return cases.map((_, i) => read(Uint8Array.from(output.subarray(i * RECORD, (i + 1) * RECORD))));
}

function write(record: Uint8Array, { code, state }: NativeCase): void {
  const view = new DataView(record.buffer, record.byteOffset, RECORD);
  record.set(code, 0);
  view.setUint32(CODE_BYTES, code.length, true);
  state.gprs.forEach((value, i) => view.setBigUint64(GPRS + i * 8, value, true));
  view.setUint32(RFLAGS, state.rflags, true);
  view.setUint32(MXCSR, state.mxcsr, true);
  record.set(state.ymm, YMM);
  record.set(state.memory, MEMORY);
}

function read(record: Uint8Array): NativeResult {
  const view = new DataView(record.buffer);
  const gprs = new BigUint64Array(16);
  for (let i = 0; i < 16; i++) gprs[i] = view.getBigUint64(GPRS + i * 8, true);
  return {
    signal: view.getUint32(CODE_BYTES + 4, true),
    state: {
      gprs,
      rflags: view.getUint32(RFLAGS, true),
      mxcsr: view.getUint32(MXCSR, true),
      ymm: record.slice(YMM, YMM + 512),
      memory: record.slice(MEMORY, MEMORY + MEMORY_BYTES),
    },
  };
}
