/** The native harness: registers in and out, exceptions, memory, time. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PAGE_SIZE } from "../../physical-memory.ts";
import { assembleBatch } from "../batch.ts";
import { STATE_FXSAVE, STATE_RFLAGS, STATE_RIP, STATE_SIZE, STATE_XMM, TIMED_OUT } from "../protocol.ts";
import { CODE, DATA, DATA_PAGES, FS_BASE, STACK } from "../windows.ts";
import { Hardware, hardwareMissing } from "./hardware.ts";

const missing = hardwareMissing();
if (missing !== undefined) console.log(`fuzz: the harness is not tested: ${missing}`);

const [RAX, RCX, RBX, RSP, RDI] = [0, 1, 3, 4, 7];
type Registers = Readonly<Partial<Record<number, number>>>;

describe.skipIf(missing !== undefined)("native harness", () => {
  let hardware: Hardware;
  beforeAll(() => {
    hardware = new Hardware();
  });
  afterAll(() => hardware.dispose());

  /** Runs pieces of code, each with its registers; an int3 is put behind each. */
  function run(cases: readonly (readonly [code: readonly number[], registers: Registers])[]) {
    const states = new Uint8Array(cases.length * STATE_SIZE);
    let address = CODE;
    const sequences = cases.map(([code, registers], i) => {
      const view = new DataView(states.buffer, i * STATE_SIZE);
      for (const [register, value] of Object.entries(registers)) {
        view.setBigUint64(Number(register) * 8, BigInt.asUintN(64, BigInt(value!)), true);
      }
      view.setUint32(STATE_RIP, address, true);
      view.setUint32(STATE_RFLAGS, 0x202, true);
      view.setUint16(STATE_FXSAVE, 0x37f, true);
      view.setUint32(STATE_FXSAVE + 24, 0x1f80, true);
      for (let at = 0; at < 16; at++) view.setUint8(STATE_XMM + at, at);
      const sequence = { address, bytes: Uint8Array.from([...code, 0xcc]), items: [], undefinedAfter: 0, chosen: 0 };
      address += sequence.bytes.length;
      return sequence;
    });
    const data = new Uint8Array(DATA_PAGES.length * PAGE_SIZE);
    const output = hardware.run(assembleBatch(data, sequences, states));
    expect(output).toMatchObject({ complete: true, intact: true });
    return output.results.map((result, i) => {
      const view = new DataView(result.state.buffer, result.state.byteOffset);
      const register = (index: number) => Number(BigInt.asIntN(64, view.getBigUint64(index * 8, true)));
      return { ...result, register, offset: register(16) - sequences[i]!.address, view };
    });
  }

  test("registers go in and results come out, case by case", () => {
    const cases = [1, 2, 3].map((n) => [[0x48, 0x01, 0xd8], { [RAX]: n, [RBX]: -5 * n }] as const);
    const results = run(cases);
    expect(results.map(({ register }) => register(RAX))).toEqual([-4, -8, -12]);
    expect(results.map(({ vector, offset }) => [vector, offset])).toEqual([
      [3, 4],
      [3, 4],
      [3, 4],
    ]);
  });

  test("XMM registers and flags go in and come out", () => {
    // paddb xmm0, xmm0; stc
    const [result] = run([[[0x66, 0x0f, 0xfc, 0xc0, 0xf9], {}]]);
    expect([...result!.state.subarray(STATE_XMM, STATE_XMM + 4)]).toEqual([0, 2, 4, 6]);
    expect(result!.view.getUint32(STATE_RFLAGS, true) & 0xcd5).toBe(1);
  });

  test("changed memory is reported word by word and is as before for the next case", () => {
    const store = [0x48, 0xff, 0x07]; // inc qword ptr [rdi]
    const results = run([
      [store, { [RDI]: DATA + 16 }],
      [store, { [RDI]: DATA + PAGE_SIZE + 8 }],
      [[0x90], {}],
    ]);
    expect(results.map(({ changes }) => [...changes])).toEqual([[16, 1, 0], [PAGE_SIZE + 8, 1, 0], []]);
  });

  test("exceptions come with vector, error code, address and the state in front of the instruction", () => {
    const results = run([
      [[0x48, 0x8b, 0x07], { [RDI]: DATA - 8 }], // mov rax, [rdi]
      [[0x48, 0x89, 0x07], { [RDI]: DATA + 2 * PAGE_SIZE }], // mov [rdi], rax: read-only
      [[0x48, 0x8b, 0x07], { [RDI]: 2 ** 52 }],
      [[0x0f, 0x0b], {}], // ud2
      [[0xf6, 0xf1], { [RCX]: 0 }], // div cl
      [[0x50], { [RSP]: STACK }], // push rax
      [[0x64, 0x8b, 0x07], { [RDI]: DATA - FS_BASE }], // mov eax, fs:[rdi]
    ]);
    const stops = results.map(({ vector, errorCode, addressLow, offset }) =>
      vector === 14 ? [vector, errorCode, addressLow, offset] : [vector, errorCode, offset],
    );
    expect(stops).toEqual([
      [14, 4, DATA - 8, 0],
      [14, 7, DATA + 2 * PAGE_SIZE, 0],
      [13, 0, 0],
      [6, 0, 0],
      [0, 0, 0],
      [14, 6, STACK - 8, 0],
      [3, 0, 4],
    ]);
  });

  test("an endless loop uses up its time, and the cases behind it run", () => {
    const results = run([
      [[0xeb, 0xfe], {}],
      [[0x90], {}],
    ]);
    expect(results.map(({ vector }) => vector)).toEqual([TIMED_OUT, 3]);
  });

  test("a system call ends the harness, not the test: the case is named", () => {
    const state = new Uint8Array(2 * STATE_SIZE);
    const sequences = [0x90, 0x0f].map((first, i) => {
      const view = new DataView(state.buffer, i * STATE_SIZE);
      const address = CODE + i * 16;
      view.setUint32(0, 39, true); // getpid
      view.setUint32(STATE_RIP, address, true);
      view.setUint32(STATE_FXSAVE + 24, 0x1f80, true);
      return {
        address,
        bytes: Uint8Array.of(first, first === 0x0f ? 5 : 0x90, 0xcc),
        items: [],
        undefinedAfter: 0,
        chosen: 0,
      };
    });
    const output = hardware.run(assembleBatch(new Uint8Array(DATA_PAGES.length * PAGE_SIZE), sequences, state));
    expect(output).toMatchObject({ complete: false, death: "signal 9" });
    expect(run([[[0x90], {}]])[0]!.vector).toBe(3);
  });
});
