/** The engine as the accused: executes the same single instructions, and says how the results differ. */
import { STOP_SYSCALL } from "../../../engine.ts";
import { PAGE_SIZE } from "../../../physical-memory.ts";
import { RFLAGS, RIP } from "../../../registers.ts";
import { TestMachine } from "../../../contract/test-machine.ts";
import { createWasmEngine, type InspectableEngine } from "../../wasm-engine.ts";
import { DATA, MEMORY_BYTES, type State } from "./cases.ts";

const CODE = 0x400000;
const SYSCALL = [0x0f, 0x05];
const IMAGE_MXCSR = 24;
const IMAGE_XMM = 160;
const STATUS_FLAGS = 0x8d5;
const RSP = 4;

export class EngineSide {
  private readonly machine = new TestMachine((memory) => createWasmEngine(memory, { cpu: "x86-64-v3" }), 64 << 20);
  private readonly data: number;
  private next = CODE;
  private page = 0;

  constructor() {
    this.data = this.machine.map(DATA, "rw") * PAGE_SIZE;
  }

  /** Lays an instruction down and returns its address. */
  place(code: Uint8Array): number {
    const { memory } = this.machine;
    if (this.page === 0 || (this.next % PAGE_SIZE) + 32 > PAGE_SIZE || this.next % PAGE_SIZE === 0) {
      this.next = Math.ceil(this.next / PAGE_SIZE) * PAGE_SIZE;
      this.page = this.machine.map(this.next, "rx") * PAGE_SIZE;
    }
    const address = this.next;
    memory.u8.set([...code, ...SYSCALL], this.page + (address % PAGE_SIZE));
    this.next += 32;
    return address;
  }

  /** Compiles what lies at an address, which was interpreted before. */
  compile(address: number): void {
    (this.machine.engine as InspectableEngine).translator.promote(address, 0);
  }

  /** Executes the instruction at an address; undefined when it stops otherwise than behind it. */
  run(address: number, given: State): State | undefined {
    const { cpu, engine, memory } = this.machine;
    cpu.u64.set(given.gprs);
    cpu.set(RIP, address);
    cpu.set(RFLAGS, given.rflags);
    cpu.fxsave.fill(0);
    cpu.fxsave[0] = 0x7f;
    cpu.fxsave[1] = 0x03;
    const image = new DataView(cpu.fxsave.buffer, cpu.fxsave.byteOffset, cpu.fxsave.byteLength);
    image.setUint32(IMAGE_MXCSR, given.mxcsr, true);
    for (let i = 0; i < 16; i++) {
      cpu.fxsave.set(given.ymm.subarray(i * 32, i * 32 + 16), IMAGE_XMM + i * 16);
      cpu.ymmHigh.set(given.ymm.subarray(i * 32 + 16, i * 32 + 32), i * 16);
    }
    engine.loadFpu();
    memory.u8.set(given.memory, this.data);
    if (engine.run(1000) !== STOP_SYSCALL) return undefined;
    engine.storeFpu();
    const ymm = new Uint8Array(512);
    for (let i = 0; i < 16; i++) {
      ymm.set(cpu.fxsave.subarray(IMAGE_XMM + i * 16, IMAGE_XMM + i * 16 + 16), i * 32);
      ymm.set(cpu.ymmHigh.subarray(i * 16, i * 16 + 16), i * 32 + 16);
    }
    return {
      gprs: cpu.u64.slice(0, 16),
      rflags: Number(cpu.u64[RFLAGS]!),
      mxcsr: image.getUint32(IMAGE_MXCSR, true),
      ymm,
      memory: memory.u8.slice(this.data, this.data + MEMORY_BYTES),
    };
  }

  dispose(): void {
    this.machine.engine.dispose();
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** What differs between two states, in words; undefined: nothing. */
export function difference(real: State, ours: State, ignoredFlags: number, mxcsrMask: number): string | undefined {
  const differences: string[] = [];
  real.gprs.forEach((value, i) => {
    if (i !== RSP && value !== ours.gprs[i])
      differences.push(`r${i} ${value.toString(16)} ${ours.gprs[i]!.toString(16)}`);
  });
  for (let i = 0; i < 32; i++) {
    const [a, b] = [real, ours].map(({ ymm }) => hex(ymm.subarray(i * 16, i * 16 + 16)));
    if (a !== b) differences.push(`${i % 2 ? "ymm high" : "xmm"} ${i >> 1} ${a} ${b}`);
  }
  const flags = STATUS_FLAGS & ~ignoredFlags;
  if (((real.rflags ^ ours.rflags) & flags) !== 0) {
    differences.push(`flags ${(real.rflags & flags).toString(16)} ${(ours.rflags & flags).toString(16)}`);
  }
  if (((real.mxcsr ^ ours.mxcsr) & mxcsrMask) !== 0) {
    differences.push(`mxcsr ${real.mxcsr.toString(16)} ${ours.mxcsr.toString(16)}`);
  }
  if (hex(real.memory) !== hex(ours.memory)) differences.push("memory");
  return differences.length === 0 ? undefined : differences.join("; ");
}
