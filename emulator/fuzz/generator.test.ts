/** The generator: repeatable, encodable, and complete over the supported forms. */
import { describe, expect, test } from "vitest";
import { loadDecoder } from "../wasm/decode.ts";
import { BatchMaker } from "./batch.ts";
import { exclusion, supportedForms, turnsOf } from "./forms.ts";
import { CODE, CODE_HOLE } from "./windows.ts";
import { PAGE_SIZE } from "../physical-memory.ts";

const forms = supportedForms();
const make = (seed: number, number: number, cases = 300) =>
  new BatchMaker({ seed, cases, forms, fillers: forms }).make(number);

test("branches, which are seldom fillers, and what mostly faults have two turns, other forms one", () => {
  const turns = turnsOf(forms).map(({ name }) => name);
  const count = (name: string): number => turns.filter((each) => each === name).length;
  expect(["Jne_rel8_64", "Call_rel32_64", "Enterw_imm16_imm8", "Add_rm64_r64"].map(count)).toEqual([2, 2, 2, 1]);
});

describe("generator", () => {
  test("the same seed and number give the same batch, whatever was made before", () => {
    const maker = new BatchMaker({ seed: 7, cases: 300, forms, fillers: forms });
    maker.make(0);
    const second = maker.make(1);
    const again = make(7, 1);
    expect(Buffer.compare(second.contents, again.contents)).toBe(0);
    expect(Buffer.compare(second.states, again.states)).toBe(0);
    expect(second.sequences).toEqual(again.sequences);
  });

  test("other seeds and other numbers give other batches", () => {
    const contents = [make(7, 1), make(8, 1), make(7, 2)].map((batch) =>
      Buffer.from(batch.contents).toString("latin1"),
    );
    expect(new Set(contents).size).toBe(3);
  });

  test("every supported form has an encoding within a few sequences", () => {
    const maker = new BatchMaker({ seed: 1, cases: forms.length, forms, fillers: forms });
    const missing = new Set(forms.map(({ code }) => code));
    for (let number = 0; number < 4 && missing.size > 0; number++) {
      for (const { items } of maker.make(number).sequences) for (const { code } of items) missing.delete(code);
    }
    expect(forms.filter(({ code }) => missing.has(code)).map(({ name }) => name)).toEqual([]);
  });

  test("what was generated decodes to instructions of the same length, none of them excluded", () => {
    const x = loadDecoder();
    for (const { bytes, items } of make(3, 0, 1000).sequences) {
      for (const { code, offset, length } of items) {
        if (offset + length > bytes.length || x.CodeExt.opCode(code).fwait) continue;
        const decoder = new x.Decoder(64, bytes.subarray(offset, offset + length), x.DecoderOptions.None);
        const instruction = decoder.decode();
        const name = x.Code[instruction.code]!;
        if (name !== "INVALID") expect([x.Code[code], instruction.length]).toEqual([x.Code[code], length]);
        if (!/^Reservednop/.test(name)) expect([name, exclusion(name)]).toEqual([name, undefined]);
        instruction.free();
        decoder.free();
      }
    }
  });

  test("nothing that enters the host's kernel is generated", () => {
    const names = new Set(forms.map(({ name }) => name));
    for (const name of ["Syscall", "Sysenter", "Int_imm8", "Int1", "Iretq", "Cpuid", "Mov_Sreg_rm16", "Jmp_m1664"]) {
      expect([name, exclusion(name) !== undefined, names.has(name)]).toEqual([name, true, false]);
    }
  });

  test("sequences end with int3, or where a missing page cuts them off, and never overlap", () => {
    let cut = 0;
    for (const seed of [1, 2, 3, 4]) {
      let end = CODE;
      for (const { address, bytes } of make(seed, 0, 4000).sequences) {
        expect(address).toBeGreaterThanOrEqual(end);
        end = address + bytes.length;
        const page = (end - CODE) / PAGE_SIZE;
        if (bytes[bytes.length - 1] === 0xcc) continue;
        cut++;
        expect(page % CODE_HOLE).toBe(CODE_HOLE - 1);
      }
    }
    expect(cut).toBeGreaterThan(0);
  });
});
