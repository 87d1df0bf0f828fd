import { describe, expect, it } from "vitest";
import { chooseEngine } from "./engine-choice.ts";

const never = (): boolean => {
  throw new Error("nobody wants to know");
};

describe("the engine that auto stands for", () => {
  it("is unicorn where that can be loaded", () => {
    expect(chooseEngine({ cpu: "x86-64-v2", hasUnicorn: () => true }).engine).toBe("unicorn");
  });

  it("is wasm where it cannot", () => {
    expect(chooseEngine({ cpu: "x86-64-v2", hasUnicorn: () => false }).engine).toBe("wasm");
  });

  it("is wasm for a processor that only wasm has, and Unicorn is not looked for", () => {
    expect(chooseEngine({ cpu: "x86-64-v3", hasUnicorn: never }).engine).toBe("wasm");
  });

  it("comes with a reason each time", () => {
    const cases = [
      { cpu: "x86-64-v2", hasUnicorn: () => true },
      { cpu: "x86-64-v2", hasUnicorn: () => false },
      { cpu: "x86-64-v3", hasUnicorn: never },
    ] as const;
    expect(new Set(cases.map((one) => chooseEngine(one).because)).size).toBe(cases.length);
  });
});
