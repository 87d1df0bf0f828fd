/** The floating-point state of a signal frame, as Linux lays it out and as programs may spoil it. */
import { describe, expect, it } from "vitest";
import { EFAULT } from "../../abi/errno.ts";
import { FP_XSTATE_MAGIC1, FP_XSTATE_MAGIC2, UC_FP_XSTATE } from "../../abi/ucontext.ts";
import type { Engine, EngineCapabilities } from "../../emulator/engine.ts";
import { mapPages, newMemory } from "../../tests/support/memory.ts";
import { PAGE_SIZE } from "../mm/layout.ts";
import { copyFromUser, copyToUser } from "../mm/user-copy.ts";
import {
  fpuFrameFlags,
  fpuFrameSize,
  minimumSignalStack,
  readFpuFrame,
  restoreFpuFrame,
  writeFpuFrame,
} from "./fpu-frame.ts";

const AT = 0x10000000;
const XMM0 = 160;
const SW = 464;
const HEADER = 512;
const YMM0 = 576;
const END = 832;
const SIZE = 836;

const V2: EngineCapabilities = { name: "test", level: "x86-64-v2", budgetUnit: "instruction" };
const V3: EngineCapabilities = { ...V2, level: "x86-64-v3" };

function setUp(capabilities = V3) {
  const { engine: idle, space } = newMemory();
  mapPages(space, AT, 1);
  const engine: Engine = Object.assign(idle, { capabilities });
  const { cpu } = engine;
  cpu.fxsave.fill(0x11, XMM0, 416);
  cpu.fxsave[24] = 0x80;
  cpu.fxsave[25] = 0x1f;
  cpu.ymmHigh.fill(0x22);
  const write = (at = AT): void => writeFpuFrame(engine, space, at);
  const read = (at = AT): void => restoreFpuFrame(engine, readFpuFrame(engine, space, at));
  const poke = (offset: number, ...bytes: number[]): void => copyToUser(space, AT + offset, Uint8Array.from(bytes));
  const view = (): DataView => {
    const bytes = new Uint8Array(SIZE);
    copyFromUser(space, AT, bytes);
    return new DataView(bytes.buffer);
  };
  return { engine, space, cpu, write, read, poke, view };
}

describe("with AVX", () => {
  it("the frame announces an XSAVE area of 832 bytes and closes it with the second magic number", () => {
    const { write, view } = setUp();
    write();
    const frame = view();
    expect(frame.getUint32(SW, true)).toBe(FP_XSTATE_MAGIC1);
    expect(frame.getUint32(SW + 4, true)).toBe(SIZE);
    expect(frame.getBigUint64(SW + 8, true)).toBe(7n);
    expect(frame.getUint32(SW + 16, true)).toBe(END);
    expect(frame.getBigUint64(HEADER, true)).toBe(7n);
    expect(frame.getUint8(YMM0)).toBe(0x22);
    expect(frame.getUint32(END, true)).toBe(FP_XSTATE_MAGIC2);
    expect([fpuFrameSize(V3), fpuFrameFlags(V3)]).toEqual([SIZE, UC_FP_XSTATE]);
  });

  it("the header leaves AVX out where all upper halves are zero", () => {
    const { cpu, write, view } = setUp();
    cpu.ymmHigh.fill(0);
    write();
    expect(view().getBigUint64(HEADER, true)).toBe(3n);
  });

  it("what was written comes back, with what a handler changed", () => {
    const { cpu, write, read, poke } = setUp();
    write();
    poke(XMM0, 0x33);
    poke(YMM0 + 255, 0x44);
    cpu.fxsave.fill(0);
    cpu.ymmHigh.fill(0);
    read();
    expect([cpu.fxsave[XMM0], cpu.fxsave[XMM0 + 1]]).toEqual([0x33, 0x11]);
    expect([cpu.ymmHigh[0], cpu.ymmHigh[255]]).toEqual([0x22, 0x44]);
  });

  it.each([
    ["the first magic number is gone", SW, [0]],
    ["the size is smaller than the header", SW + 16, [0, 2, 0, 0]],
    ["the size is larger than the processor's", SW + 16, [0, 8, 0, 0]],
    ["the size is larger than the whole", SW + 4, [0x3f, 3, 0, 0]],
    ["the second magic number is gone", END, [0]],
  ])("only the image counts where %s, and AVX becomes initial", (_name, offset, bytes) => {
    const { cpu, write, read, poke } = setUp();
    write();
    poke(offset, ...bytes);
    read();
    expect(cpu.fxsave[XMM0]).toBe(0x11);
    expect(cpu.ymmHigh.every((byte) => byte === 0)).toBe(true);
  });

  it("components that the header leaves out become initial", () => {
    const { cpu, write, read, poke } = setUp();
    cpu.fxsave[2] = 0x55;
    write();
    poke(HEADER, 4);
    read();
    expect([cpu.fxsave[0], cpu.fxsave[1], cpu.fxsave[2]]).toEqual([0x7f, 0x03, 0]);
    expect(cpu.fxsave[XMM0]).toBe(0);
    expect(cpu.ymmHigh[0]).toBe(0x22);
  });

  it.each([
    ["a component that does not exist", HEADER, 8],
    ["the compacted format", HEADER + 15, 0x80],
    ["reserved header bytes", HEADER + 16, 1],
  ])("%s is EFAULT, and nothing was changed", (_name, offset, byte) => {
    const { cpu, write, read, poke } = setUp();
    write();
    poke(offset, byte);
    cpu.ymmHigh.fill(0x77);
    expect(() => read()).toThrow(EFAULT);
    expect(cpu.ymmHigh[0]).toBe(0x77);
  });

  it("a frame over the end of memory is EFAULT", () => {
    const { write, read } = setUp();
    expect(() => write(AT + PAGE_SIZE - 600)).toThrow(EFAULT);
    expect(() => read(AT + PAGE_SIZE - 300)).toThrow(EFAULT);
  });

  it("reserved bits of MXCSR do not come back", () => {
    const { cpu, write, read, poke } = setUp();
    write();
    poke(26, 0xff, 0xff);
    read();
    expect([...cpu.fxsave.subarray(24, 28)]).toEqual([0x80, 0x1f, 0, 0]);
  });
});

it("without AVX the frame is the FXSAVE image alone", () => {
  const { cpu, write, read, view } = setUp(V2);
  write();
  expect(view().getUint32(SW, true)).toBe(0);
  expect([fpuFrameSize(V2), fpuFrameFlags(V2)]).toEqual([512, 0]);
  cpu.fxsave.fill(0);
  read();
  expect(cpu.fxsave[XMM0]).toBe(0x11);
});

it("AT_MINSIGSTKSZ covers frame, state and alignment", () => {
  for (const capabilities of [V2, V3]) {
    expect(minimumSignalStack(capabilities)).toBeGreaterThanOrEqual(440 + fpuFrameSize(capabilities) + 63 + 15);
  }
});
