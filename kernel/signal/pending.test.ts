/** Signals sent and not yet taken (signal(7)). */
import { describe, expect, it } from "vitest";
import { SIGCHLD, SIGRTMIN, SIGSTOP, SIGTSTP, SIGUSR1 } from "../../abi/signal.ts";
import { SignalActions } from "./actions.ts";
import { STOP_SIGNALS } from "./defaults.ts";
import { PendingSignals } from "./pending.ts";
import { SignalSet } from "./signal-set.ts";

const info = (signo: number, pid: number) => ({ signo, code: 0, pid });

describe("pending signals", () => {
  it("keep one of each standard signal, the first", () => {
    const pending = new PendingSignals();
    for (const pid of [1, 2, 3]) pending.add(info(SIGUSR1, pid));
    expect(pending.queued).toBe(1);
    expect(pending.take(SIGUSR1).pid).toBe(1);
    expect(pending.set.empty).toBe(true);
  });

  it("keep every real-time signal, in order", () => {
    const pending = new PendingSignals();
    for (const pid of [1, 2, 3]) pending.add(info(SIGRTMIN, pid));
    pending.add(info(SIGRTMIN + 1, 9));
    expect([pending.take(SIGRTMIN).pid, pending.take(SIGRTMIN).pid]).toEqual([1, 2]);
    expect(pending.set.has(SIGRTMIN)).toBe(true);
    pending.take(SIGRTMIN);
    expect(pending.set.has(SIGRTMIN)).toBe(false);
    expect(pending.set.has(SIGRTMIN + 1)).toBe(true);
  });

  it("lose those that are discarded, and no others", () => {
    const pending = new PendingSignals();
    for (const signal of [SIGTSTP, SIGCHLD, SIGSTOP]) pending.add(info(signal, 1));
    pending.discard(STOP_SIGNALS);
    expect(pending.set.toString()).toBe(SignalSet.of(SIGCHLD).toString());
    expect(pending.queued).toBe(1);
    pending.clear();
    expect([pending.queued, pending.set.empty]).toEqual([0, true]);
  });

  it("are made up where nobody has left a record", () => {
    expect(new PendingSignals().take(SIGUSR1)).toEqual({ signo: SIGUSR1, code: 0 });
  });
});

describe("signal actions", () => {
  it("that are handlers become default in exec, ignored ones stay ignored", () => {
    const actions = new SignalActions();
    const mask = new SignalSet();
    actions.set(SIGUSR1, { handler: 0x401000, flags: 0x10000000, restorer: 5, mask });
    actions.set(SIGCHLD, { handler: 1, flags: 1, restorer: 5, mask });
    const copy = actions.clone();
    copy.resetHandlers();
    expect([copy.get(SIGUSR1).handler, copy.get(SIGCHLD).handler]).toEqual([0, 1]);
    expect([copy.get(SIGUSR1).flags, copy.get(SIGCHLD).flags]).toEqual([0, 0]);
    expect(actions.get(SIGUSR1).handler).toBe(0x401000);
    actions.reset(SIGUSR1);
    expect(actions.get(SIGUSR1)).toMatchObject({ handler: 0, flags: 0x10000000 });
  });
});
