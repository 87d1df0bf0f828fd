import { createRequire } from "node:module";
import type Wabt from "wabt";
import { describe, expect, it } from "vitest";
import { viewHandler, viewRegion, type FunctionView, type ViewedCode } from "./region-view.ts";

/** again: add rax,rbx; mov rcx,[rdi+8]; dec rcx; jne again; ret */
const LOOP = [0x48, 0x01, 0xd8, 0x48, 0x8b, 0x4f, 0x08, 0x48, 0xff, 0xc9, 0x75, 0xf4, 0xc3];
const START = 0x401000;

function codeOf(bytes: readonly number[]): ViewedCode {
  return { bytes: Uint8Array.from(bytes), address: START, from: START, to: START + bytes.length };
}

const options = { model: "x86-64-v2" } as const;

/** The annotated text, and the module that a reader of it would get. */
async function textOf(view: FunctionView): Promise<{ text: string; again: Uint8Array }> {
  const wabt = await (createRequire(import.meta.url)("wabt") as typeof Wabt)();
  const text = view.annotate(wabt.readWasm(view.module, { simd: true }).toText({}), (address) =>
    address >= START && address < START + LOOP.length ? "here" : undefined,
  );
  return { text, again: wabt.parseWat("view.wat", text, { simd: true }).toBinary({ canonicalize_lebs: true }).buffer };
}

describe("a region", () => {
  it("is shown with its blocks, in both syntaxes", () => {
    const { blocks } = viewRegion(codeOf(LOOP), START, options)!;
    // The entry stands apart from the loop that begins there.
    expect(blocks.map(({ target, next }) => [target, next])).toEqual([
      [1, 2],
      [1, 2],
      [undefined, undefined],
    ]);
    expect(blocks[0]!.instructions.map(({ intel }) => intel)).toEqual([
      "add rax,rbx",
      "mov rcx,[rdi+8]",
      "dec rcx",
      "jne short 0000000000401000h",
    ]);
    expect(blocks[0]!.instructions[1]).toMatchObject({
      address: 0x401003,
      bytes: "48 8b 4f 08",
      gas: "mov 8(%rdi),%rcx",
    });
  });

  it("ends where its function ends", () => {
    const code = codeOf(LOOP);
    const { blocks } = viewRegion({ ...code, to: START + 12 }, START, options)!;
    expect(blocks).toHaveLength(2);
  });

  it("has no more instructions than asked for", () => {
    expect(viewRegion(codeOf(LOOP), START, { ...options, limit: 2 })!.blocks).toMatchObject([
      { instructions: [{ intel: "add rax,rbx" }, { intel: "mov rcx,[rdi+8]" }] },
    ]);
  });

  it("is a module as the engine would compile it, and as valid as text", async () => {
    const view = viewRegion(codeOf(LOOP), START, options)!;
    expect(WebAssembly.validate(view.module)).toBe(true);
    const { text, again } = await textOf(view);
    expect(WebAssembly.validate(Uint8Array.from(again))).toBe(true);
    // Names and comments change nothing: once more without them.
    expect((await textOf({ ...view, module: Uint8Array.from(again) })).text).toBe(text);
  });

  it("is annotated: registers, state, addresses, calls", async () => {
    const { text } = await textOf(viewRegion(codeOf(LOOP), START, options)!);
    expect(text).toMatch(/i64\.load offset=24 align=1 {2};; rbx\n +local\.set \$rbx/);
    expect(text).toMatch(/local\.get \$rax\n +i64\.store align=1 {2};; rax/);
    expect(text).toMatch(/i64\.const 4198400 {2};; here/);
    expect(text).toMatch(/call_indirect \(type \d+\) {2};; readAt/);
    expect(text).toMatch(/offset=\d+ align=1 {2};; window last read here/);
    expect(text).toMatch(/local\.set \$flags_result/);
    expect(text).toMatch(/local\.get \$status\)/);
  });

  it("names instructions that raise #UD for want of a lowering", () => {
    // vaddps ymm0, ymm1, ymm2
    const code = codeOf([0xc5, 0xf4, 0x58, 0xc2]);
    expect(viewRegion(code, START, options)!.unknown).toEqual(["vaddps"]);
    expect(viewRegion(code, START, { model: "x86-64-v3" })!.unknown).toEqual([]);
  });

  it("is not there where no instruction fits", () => {
    expect(viewRegion(codeOf([0x48]), START, options)).toBeUndefined();
    expect(viewRegion(codeOf(LOOP), START + 0x1000, options)).toBeUndefined();
  });
});

describe("a handler", () => {
  it("takes what differs between instructions of its form from the record", async () => {
    const view = viewHandler(codeOf(LOOP), START + 3, "x86-64-v2")!;
    expect(view.instruction.intel).toBe("mov rcx,[rdi+8]");
    expect(WebAssembly.validate(view.module)).toBe(true);
    const { text } = await textOf(view);
    expect(text).toMatch(/local\.get \$record\n +i64\.load offset=\d+ align=1 {2};; displacement, from the record/);
    expect(text).toMatch(/i32\.load16_u offset=\d+ align=1 {2};; register 0 of the record/);
  });

  it("is the same for another register", () => {
    const other = codeOf([0x48, 0x8b, 0x57, 0x08]);
    expect(viewHandler(other, START, "x86-64-v2")!.module).toEqual(
      viewHandler(codeOf(LOOP), START + 3, "x86-64-v2")!.module,
    );
  });
});
