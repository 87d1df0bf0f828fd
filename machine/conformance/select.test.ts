import { describe, expect, it } from "vitest";
import { inShard, parseShard, select } from "./select.ts";

const same = (name: string): string => name;

describe("shards", () => {
  it.each([
    ["1/1", { index: 1, count: 1 }],
    ["3/12", { index: 3, count: 12 }],
    ["0/2", undefined],
    ["3/2", undefined],
    ["1", undefined],
    ["1/0", undefined],
    ["a/b", undefined],
  ])("%s is %j", (text, shard) => expect(parseShard(text)).toEqual(shard));

  const programs = Array.from({ length: 23 }, (_, index) => `t/${(index * 7) % 23}`);
  it.each([1, 2, 5, 30])("%i parts are all of it, without overlap and of equal size", (count) => {
    const parts = Array.from({ length: count }, (_, index) => inShard(programs, same, { index: index + 1, count }));
    expect(parts.flat().sort()).toEqual([...programs].sort());
    const sizes = parts.map(({ length }) => length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  it("do not depend on the order in which programs are found", () => {
    const shard = { index: 2, count: 3 };
    expect(inShard([...programs].reverse(), same, shard)).toEqual(inShard(programs, same, shard));
  });
});

describe("a filter", () => {
  const programs = ["t/clone3/set-tid", "t/clone3/arguments", "t/signal/queue"];
  const rows: readonly (readonly [string, string[], boolean])[] = [
    ["clone3", ["t/clone3/set-tid", "t/clone3/arguments"], false],
    ["queue$", ["t/signal/queue"], false],
    ["set-tid/C8.1", ["t/clone3/set-tid"], true],
    ["(set-tid|queue)/C8", ["t/clone3/set-tid", "t/signal/queue"], true],
    ["EINVAL", programs, true],
  ];
  it.each(rows)("%s runs %j", (text, expected, selectsCases) => {
    const { programs: chosen, wants } = select(programs, same, new RegExp(text, "u"));
    expect(chosen).toEqual(expected);
    expect(wants !== null).toBe(selectsCases);
  });

  it("finds cases by name and by sentence", () => {
    const { wants } = select(programs, same, /set-tid\/C8\.1$|refuses/u);
    expect(wants!("t/clone3/set-tid", "C8.1", "")).toBe(true);
    expect(wants!("t/clone3/set-tid", "C8.12", "")).toBe(false);
    expect(wants!("t/clone3/set-tid", "C8.12", "clone3 refuses it")).toBe(true);
  });
});
