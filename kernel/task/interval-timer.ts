/** ITIMER_REAL of a process: SIGALRM after some time, once or again and again (setitimer(2), alarm(2)). */
import { SIGALRM } from "../../abi/signal.ts";
import { kernelSigInfo, sendSignalToGroup } from "../signal/send.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread-group.ts";
import type { Expiring } from "./timers.ts";

/** Time left (0: off) and interval, in ns. */
export interface TimerValue {
  value: number;
  interval: number;
}

class Expiry implements Expiring {
  private readonly group: ThreadGroup;

  constructor(group: ThreadGroup) {
    this.group = group;
  }

  expire(deadline: number): void {
    const timer = this.group.realTimer;
    // Set anew or switched off since.
    if (timer.expires !== deadline || this.group.zombie) return;
    if (timer.interval > 0) {
      const { kernel } = this.group.leader;
      const missed = Math.floor((kernel.now() - deadline) / timer.interval);
      timer.expires = deadline + timer.interval * (missed + 1);
      kernel.timers.add(timer.expires, this);
    } else {
      timer.expires = 0;
    }
    sendSignalToGroup(this.group, kernelSigInfo(SIGALRM));
  }
}

export function intervalTimer(task: Task): TimerValue {
  const { expires, interval } = task.group.realTimer;
  return { value: expires === 0 ? 0 : Math.max(1000, expires - task.kernel.now()), interval };
}

/** Sets the timer; a value of 0 switches it off. Returns what it was. */
export function setIntervalTimer(task: Task, value: number, interval: number): TimerValue {
  const old = intervalTimer(task);
  const { kernel, group } = task;
  group.realTimer = { expires: value === 0 ? 0 : kernel.now() + value, interval };
  if (value > 0) kernel.timers.add(group.realTimer.expires, new Expiry(group));
  return old;
}
