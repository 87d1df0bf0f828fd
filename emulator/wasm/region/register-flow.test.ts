import { describe, expect, it } from "vitest";
import { RegisterFlow } from "./register-flow.ts";

const [A, B, C] = [1, 2, 4];

describe("registers to be loaded and stored", () => {
  it("are those read before they are written, and those written before an exit", () => {
    const flow = new RegisterFlow(1);
    flow.begin(0);
    flow.noteRead(A);
    flow.noteWrite(B, true);
    flow.noteRead(B);
    const exit = flow.exit();
    expect(flow.solve()).toBe(A);
    expect(exit.dirty).toBe(B);
  });

  it("include what is written on one of two ways only, which must be right on the other", () => {
    const flow = new RegisterFlow(3);
    flow.begin(0);
    flow.edge(1);
    flow.edge(2);
    flow.begin(1);
    flow.noteWrite(A, true);
    flow.edge(2);
    flow.begin(2);
    const exit = flow.exit();
    expect(flow.solve()).toBe(A);
    expect(exit.dirty).toBe(A);
  });

  it("come around loops", () => {
    const flow = new RegisterFlow(3);
    flow.begin(0);
    flow.edge(1);
    flow.begin(1);
    const early = flow.exit();
    flow.noteWrite(B, true);
    flow.noteRead(C);
    flow.edge(1);
    flow.edge(2);
    flow.begin(2);
    const late = flow.exit();
    expect(flow.solve()).toBe(B | C);
    expect(early.dirty).toBe(B);
    expect(late.dirty).toBe(B);
  });

  it("are stored before a guest call, and loaded behind it when they are needed", () => {
    const flow = new RegisterFlow(1);
    flow.begin(0);
    flow.noteWrite(A | B, true);
    const call = flow.call();
    flow.noteRead(A | C);
    flow.noteWrite(A, true);
    const exit = flow.exit();
    expect(flow.solve()).toBe(0);
    expect(call).toEqual({ dirty: A | B, needed: A | C });
    expect(exit.dirty).toBe(A);
  });

  it("are not surely written by half an instruction", () => {
    const flow = new RegisterFlow(1);
    flow.begin(0);
    flow.noteWrite(A, false);
    flow.noteRead(A);
    flow.exit();
    expect(flow.solve()).toBe(A);
  });
});
