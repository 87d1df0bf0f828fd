import { describe, expect, it } from "vitest";
import { EAGAIN, EBUSY, EEXIST, EINVAL, ENOMEM, EPERM } from "../../abi/errno.ts";
import { UserNamespace } from "../namespaces/user-namespace.ts";
import type { Task } from "../task/task.ts";
import { allocatePid, type PidRequest } from "./allocate-pids.ts";
import type { Pid } from "./pid.ts";
import { PidNamespace, RESERVED_PIDS } from "./pid-namespace.ts";

const owner = new UserNamespace(null, 1);
const anybody = {} as Task;

/** A chain of namespaces, each with its pid 1. */
function nested(levels: number): PidNamespace {
  let namespace: PidNamespace | null = null;
  for (let level = 0; level < levels; level++) {
    namespace = new PidNamespace(namespace, owner, 100 + level);
    allocatePid(namespace, automatic());
    namespace.reaper = anybody;
  }
  return namespace!;
}

function automatic(changes: Partial<PidRequest> = {}): PidRequest {
  return { wanted: [], taken: EBUSY, allowed: () => {}, ...changes };
}

const thrownBy = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return null;
};

describe("a pid namespace", () => {
  it("counts up from 1", () => {
    const namespace = new PidNamespace(null, owner, 1);
    const numbers = [1, 2, 3].map(() => allocatePid(namespace, automatic()).own);
    expect(numbers).toEqual([1, 2, 3]);
  });

  it("does not give a freed number out again at once", () => {
    const namespace = nested(1);
    const first = allocatePid(namespace, automatic());
    first.releaseIfUnused();
    expect(allocatePid(namespace, automatic()).own).toBe(first.own + 1);
  });

  it("goes on behind the last automatic number after a chosen one", () => {
    const namespace = nested(1);
    expect(allocatePid(namespace, automatic({ wanted: [1000] })).own).toBe(1000);
    expect(allocatePid(namespace, automatic()).own).toBe(2);
  });

  it("skips a chosen number that is still alive", () => {
    const namespace = nested(1);
    allocatePid(namespace, automatic({ wanted: [2] }));
    expect(allocatePid(namespace, automatic()).own).toBe(3);
  });

  it("wraps to 300, leaving the low numbers to those who choose them", () => {
    const namespace = nested(1);
    namespace.pidMax = 400;
    namespace.lastPid = 399;
    expect(allocatePid(namespace, automatic()).own).toBe(RESERVED_PIDS);
    expect(allocatePid(namespace, automatic({ wanted: [5] })).own).toBe(5);
  });

  it("gives EAGAIN when every number above the floor is in use", () => {
    const namespace = nested(1);
    namespace.pidMax = 302;
    namespace.lastPid = 300;
    allocatePid(namespace, automatic());
    allocatePid(namespace, automatic());
    expect(thrownBy(() => allocatePid(namespace, automatic()))).toBe(EAGAIN);
  });

  it("inherits pid_max from its parent", () => {
    const parent = nested(1);
    parent.pidMax = 500;
    expect(new PidNamespace(parent, owner, 2).pidMax).toBe(500);
  });

  it.each([
    ["a negative number", [-1], EINVAL],
    ["pid_max", [32768], EINVAL],
    ["a number in use", [1], EBUSY],
  ])("refuses %s", (_name, wanted, errno) => {
    expect(thrownBy(() => allocatePid(nested(1), automatic({ wanted })))).toBe(errno);
  });

  it("takes no number but 1 before it has an init", () => {
    const empty = new PidNamespace(nested(1), owner, 9);
    expect(thrownBy(() => allocatePid(empty, automatic({ wanted: [undefined, 7] })))).toBe(EINVAL);
    expect(allocatePid(empty, automatic({ wanted: [undefined, 1] })).own).toBe(1);
  });

  it("gives ENOMEM once its init has died", () => {
    const namespace = nested(2);
    namespace.closed = true;
    expect(thrownBy(() => allocatePid(namespace, automatic()))).toBe(ENOMEM);
  });
});

describe("allocation at all levels", () => {
  it("makes a pid visible in every ancestor", () => {
    const inner = nested(3);
    const pid = allocatePid(inner, automatic({ wanted: [500, 77, 99] }));
    expect(pid.numbers).toEqual([500, 77, 99]);
    for (let at: PidNamespace | null = inner; at; at = at.parent) {
      expect(at.find(pid.numbers[at.level]!)).toBe(pid);
      expect(pid.numberIn(at)).toBe(pid.numbers[at.level]);
    }
  });

  it("shows number 0 to a namespace that cannot see the pid", () => {
    const outer = nested(1);
    const sibling = new PidNamespace(outer, owner, 8);
    const pid = allocatePid(nested(2), automatic());
    expect(pid.numberIn(sibling)).toBe(0);
    expect(pid.numberIn(outer)).toBe(0);
  });

  it("gives inner numbers back when an outer level refuses", () => {
    const inner = nested(2);
    expect(thrownBy(() => allocatePid(inner, automatic({ wanted: [1, 61] })))).toBe(EBUSY);
    expect(inner.find(61)).toBeUndefined();
    expect(allocatePid(inner, automatic({ wanted: [undefined, 61] })).own).toBe(61);
  });

  it.each([
    ["taken outside, negative inside", [1, -1], EINVAL],
    ["negative outside, taken inside", [-1, 1], EBUSY],
  ])("lets the innermost level decide: %s", (_name, wanted, errno) => {
    expect(thrownBy(() => allocatePid(nested(2), automatic({ wanted })))).toBe(errno);
  });

  it("asks for privilege after the range and before EEXIST", () => {
    const refuse = (): void => {
      throw EPERM;
    };
    const request = (wanted: number): PidRequest => ({ wanted: [wanted], taken: EEXIST, allowed: refuse });
    expect(thrownBy(() => allocatePid(nested(1), request(1)))).toBe(EPERM);
    expect(thrownBy(() => allocatePid(nested(1), request(32768)))).toBe(EINVAL);
  });

  it("keeps the numbers while the pid is somebody's session or process group", () => {
    const namespace = nested(1);
    const pid = allocatePid(namespace, automatic());
    pid.session.add({} as never);
    pid.releaseIfUnused();
    expect(namespace.find(pid.own)).toBe(pid);
    pid.session.clear();
    pid.releaseIfUnused();
    expect(namespace.find(pid.own)).toBeUndefined();
  });

  it("agrees with a simple model over 100,000 random operations", () => {
    const random = generator(7);
    const inner = nested(3);
    for (let at: PidNamespace | null = inner; at; at = at.parent) at.pidMax = 420;
    const model = [new Set([1, 2, 3]), new Set([1, 2]), new Set([1])];
    const alive: Pid[] = [];
    for (let step = 0; step < 100_000; step++) {
      if (alive.length > 0 && (random() < 0.45 || alive.length > 100)) {
        const [gone] = alive.splice(Math.floor(random() * alive.length), 1);
        gone!.numbers.forEach((number, level) => model[level]!.delete(number));
        gone!.releaseIfUnused();
        continue;
      }
      const wanted = [0, 1, 2].map(() => (random() < 0.3 ? Math.floor(random() * 430) - 5 : undefined));
      const bad = [2, 1, 0].find((level) => {
        const number = wanted[level];
        return number !== undefined && (number < 1 || number >= 420 || model[level]!.has(number));
      });
      const outcome = thrownBy(() => alive.push(allocatePid(inner, automatic({ wanted }))));
      if (bad !== undefined) {
        const number = wanted[bad]!;
        expect(outcome).toBe(number < 1 || number >= 420 ? EINVAL : EBUSY);
        continue;
      }
      expect(outcome).toBeNull();
      alive.at(-1)!.numbers.forEach((number, level) => {
        expect(model[level]!.has(number)).toBe(false);
        if (wanted[level] !== undefined) expect(number).toBe(wanted[level]);
        model[level]!.add(number);
      });
    }
    for (let at: PidNamespace | null = inner; at; at = at.parent) expect(at.size).toBe(model[at.level]!.size);
  });
});

/** A small repeatable random source: numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}
