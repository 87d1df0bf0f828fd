/** How ids translate between user namespaces. */
import { describe, expect, it } from "vitest";
import { UserNamespace } from "./user-namespace.ts";

const initial = new UserNamespace(null, 1);
const middle = new UserNamespace(initial, 2, 0, 0);
const inner = new UserNamespace(middle, 3, 100, 100);
const unmapped = new UserNamespace(initial, 4);
middle.uidMap = [
  { inside: 0, outside: 1000, count: 10 },
  { inside: 500, outside: 5000, count: 100 },
];
inner.uidMap = [{ inside: 0, outside: 5, count: 2 }];
middle.gidMap = [{ inside: 0, outside: 7, count: 1 }];

/** Namespace, id inside, global id; -1: no mapping in that direction. */
const pairs: readonly (readonly [string, UserNamespace, number, number])[] = [
  ["the initial one is the identity", initial, 12345, 12345],
  ["the first id of a range", middle, 0, 1000],
  ["the last id of a range", middle, 9, 1009],
  ["an id of the second range", middle, 599, 5099],
  ["two levels down", inner, 1, 1006],
];

describe("an id", () => {
  it.each(pairs)("%s", (_, namespace, inside, global) => {
    expect(namespace.uidGlobal(inside)).toBe(global);
    expect(namespace.uidInside(global)).toBe(inside);
  });

  it("outside of every range has no counterpart", () => {
    expect([10, 499, 600].map((id) => middle.uidGlobal(id))).toEqual([-1, -1, -1]);
    expect([0, 999, 1010, 4999, 5100].map((id) => middle.uidInside(id))).toEqual([-1, -1, -1, -1, -1]);
    expect([inner.uidGlobal(2), inner.uidInside(1000), unmapped.uidInside(0)]).toEqual([-1, -1, -1]);
    expect(initial.uidGlobal(4294967295)).toBe(-1);
  });

  it("of a group has a map of its own", () => {
    expect([middle.gidGlobal(0), middle.gidInside(7), middle.gidInside(1000)]).toEqual([7, 0, -1]);
  });
});

describe("namespaces", () => {
  it("know their depth and their descendants", () => {
    expect([initial.level, middle.level, inner.level]).toEqual([0, 1, 2]);
    expect(initial.isAncestorOf(inner)).toBe(true);
    expect(inner.isAncestorOf(inner)).toBe(true);
    expect(inner.isAncestorOf(middle)).toBe(false);
    expect(unmapped.isAncestorOf(inner)).toBe(false);
  });
});
