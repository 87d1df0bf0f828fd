/** Queues of tasks that wait for words of memory. */
import { describe, expect, it } from "vitest";
import { mapPages, newMemory } from "../../tests/support/memory.ts";
import { PAGE_SIZE } from "../mm/layout.ts";
import { PageStore } from "../mm/page-store.ts";
import { BLOCKED, type Task } from "../task/task.ts";
import { FUTEX_BITSET_ANY, FutexTable, type FutexWait } from "./futex.ts";

interface Sleeper {
  name: string;
  futexWait: FutexWait | null;
  piLocks: Set<string>;
  wakes: number;
  sleepOn: () => number;
  wake: () => void;
}

function sleeper(name: string): Task & Sleeper {
  const task: Sleeper = {
    name,
    futexWait: null,
    piLocks: new Set(),
    wakes: 0,
    sleepOn: () => BLOCKED,
    wake: () => void task.wakes++,
  };
  return task as unknown as Task & Sleeper;
}

/** Three tasks asleep on the words named. */
function asleep(...words: string[]) {
  const table = new FutexTable();
  const tasks = words.map((key, index) => {
    const task = sleeper(`${key}${index}`);
    expect(table.sleep(task, [{ key, bitset: 1 << index }], Infinity, 0)).toBe(BLOCKED);
    return task;
  });
  return { table, tasks, woken: () => tasks.filter(({ wakes }) => wakes > 0).map(({ name }) => name) };
}

describe("waking", () => {
  it("takes the longest waiters of the word, so many as asked", () => {
    const { table, woken } = asleep("a", "b", "a", "a");
    expect(table.wakeKey("a", 2, FUTEX_BITSET_ANY)).toBe(2);
    expect(woken()).toEqual(["a0", "a2"]);
    expect(table.wakeKey("a", 9, FUTEX_BITSET_ANY)).toBe(1);
    expect(table.wakeKey("nobody", 1, FUTEX_BITSET_ANY)).toBe(0);
    expect(table.size).toBe(1);
  });

  it("takes only those whose bits fit", () => {
    const { table, woken } = asleep("a", "a", "a");
    expect(table.wakeKey("a", 9, 0b100)).toBe(1);
    expect(woken()).toEqual(["a2"]);
  });

  it("tells the woken which word it was, and only once", () => {
    const table = new FutexTable();
    const task = sleeper("t");
    table.sleep(
      task,
      ["a", "b", "c"].map((key) => ({ key, bitset: FUTEX_BITSET_ANY })),
      Infinity,
      0,
    );
    expect(table.wakeKey("b", 1, FUTEX_BITSET_ANY)).toBe(1);
    expect(task.futexWait!.woken).toBe(1);
    expect(table.wakeKey("a", 1, FUTEX_BITSET_ANY)).toBe(0);
    expect([table.size, task.wakes]).toEqual([0, 1]);
  });
});

describe("requeueing", () => {
  it("moves waiters behind those that are there, without waking them", () => {
    const { table, woken } = asleep("a", "b", "a", "a");
    expect(table.requeue("a", "b", 2)).toBe(2);
    expect([table.waiting("a"), table.waiting("b")]).toEqual([1, 3]);
    expect(woken()).toEqual([]);
    table.wakeKey("b", 2, FUTEX_BITSET_ANY);
    expect(woken()).toEqual(["a0", "b1"]);
  });

  it("to the same word or of nobody does nothing", () => {
    const { table } = asleep("a");
    expect([table.requeue("a", "a", 5), table.requeue("x", "a", 5), table.requeue("a", "b", 0)]).toEqual([0, 0, 0]);
    expect(table.waiting("a")).toBe(1);
  });
});

describe("giving up", () => {
  it("leaves no trace, before and after a requeue", () => {
    const { table, tasks } = asleep("a", "a");
    table.requeue("a", "b", 1);
    for (const task of tasks) table.cancel(task);
    expect(table.size).toBe(0);
    expect(tasks.map(({ futexWait }) => futexWait)).toEqual([null, null]);
    table.cancel(tasks[0]!);
  });
});

describe("the name of a word", () => {
  const memory = newMemory();
  const other = newMemory();
  const store = new PageStore(memory.frames);
  store.size = 4 * PAGE_SIZE;
  const table = new FutexTable();
  mapPages(memory.space, 0x10000000, 2, { shared: true, store });
  mapPages(other.space, 0x50000000, 2, { shared: true, store, storePage: 1 });
  mapPages(memory.space, 0x20000000, 1);

  it("is the file's page for shared mappings, wherever they are", () => {
    const first = table.key(memory.space, 0x10000000 + PAGE_SIZE + 8, true);
    expect(table.key(other.space, 0x50000000 + 8, true)).toBe(first);
    expect(table.key(other.space, 0x50000000 + 12, true)).not.toBe(first);
  });

  it("is the address in its space for everything private, and another one when it might be shared", () => {
    const names = [
      table.key(memory.space, 0x20000000, false),
      table.key(memory.space, 0x20000004, false),
      table.key(other.space, 0x20000000, false),
      table.key(memory.space, 0x20000000, true),
      table.key(memory.space, 0x10000000, false),
      table.key(memory.space, 0x10000000, true),
    ];
    expect(new Set(names).size).toBe(names.length);
    expect(table.key(memory.space, 0x20000000, false)).toBe(names[0]);
  });
});
