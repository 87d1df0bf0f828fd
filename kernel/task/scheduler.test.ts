/** The run queue. */
import { describe, expect, it } from "vitest";
import { Scheduler } from "./scheduler.ts";
import { TASK_BLOCKED, TASK_RUNNABLE, TASK_ZOMBIE, type Task, type TaskState } from "./task.ts";

const task = (name: string, state: TaskState = TASK_RUNNABLE): Task =>
  ({ comm: name, state, queued: false }) as unknown as Task;

describe("the run queue", () => {
  it("gives tasks back in the order they came", () => {
    const scheduler = new Scheduler();
    for (const name of "abc") scheduler.enqueue(task(name));
    expect([1, 2, 3, 4].map(() => scheduler.next()?.comm)).toEqual(["a", "b", "c", undefined]);
  });

  it("holds a task once, however often it is woken", () => {
    const scheduler = new Scheduler();
    const only = task("a");
    scheduler.enqueue(only);
    scheduler.enqueue(only);
    expect(scheduler.runnableCount).toBe(1);
    expect(scheduler.next()).toBe(only);
    expect(scheduler.next()).toBeNull();
    scheduler.enqueue(only);
    expect(scheduler.next()).toBe(only);
  });

  it("passes over tasks that have gone to sleep or died meanwhile, and takes them again later", () => {
    const scheduler = new Scheduler();
    const [sleeper, dead, runner] = [task("s"), task("d"), task("r")];
    for (const each of [sleeper, dead, runner]) scheduler.enqueue(each);
    sleeper.state = TASK_BLOCKED;
    dead.state = TASK_ZOMBIE;
    expect(scheduler.next()).toBe(runner);
    sleeper.state = TASK_RUNNABLE;
    scheduler.enqueue(sleeper);
    expect(scheduler.next()).toBe(sleeper);
  });

  it("stays fair and small over many rounds", () => {
    const scheduler = new Scheduler();
    const tasks = Array.from({ length: 10 }, (_, index) => task(String(index)));
    tasks.forEach((each) => scheduler.enqueue(each));
    const turns = new Map<string, number>();
    for (let round = 0; round < 10_000; round++) {
      const next = scheduler.next()!;
      turns.set(next.comm, (turns.get(next.comm) ?? 0) + 1);
      scheduler.enqueue(next);
    }
    expect([...turns.values()]).toEqual(new Array(10).fill(1000));
    expect(scheduler.runnableCount).toBe(10);
  });

  it("forgets the current task when it leaves", () => {
    const scheduler = new Scheduler();
    const [one, other] = [task("a"), task("b")];
    scheduler.current = one;
    scheduler.leave(other);
    expect(scheduler.current).toBe(one);
    scheduler.leave(one);
    expect(scheduler.current).toBeNull();
  });
});
