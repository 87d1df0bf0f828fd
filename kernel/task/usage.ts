/** Resource usage of threads and processes (getrusage(2)). */
import type { Encodable, TypeOf } from "../../abi/layout.ts";
import type { rusage } from "../../abi/resource.ts";
import { groupTimes } from "./times.ts";
import type { ThreadGroup } from "./thread-group.ts";

type Usage = Partial<Encodable<typeof rusage>>;
export type RUsage = TypeOf<typeof rusage>;

const timeval = (ns: number): { tv_sec: number; tv_usec: number } => ({
  tv_sec: Math.floor(ns / 1e9),
  tv_usec: Math.floor((ns % 1e9) / 1e3),
});

/** Usage of a process; with its waited-for children if asked, as wait4 reports it. */
export function groupUsage(group: ThreadGroup, withChildren: boolean): Usage {
  const times = groupTimes(group);
  const [user, system] = withChildren ? [group.childrenUserTime, group.childrenSystemTime] : [0, 0];
  return {
    ru_utime: timeval(times.user + user),
    ru_stime: timeval(times.system + system),
    ru_maxrss: Math.max(group.maxRss, (group.leader.mm?.residentPages ?? 0) * 4),
    ru_minflt: group.minorFaults,
    ru_majflt: group.majorFaults,
  };
}

/** Usage of the children waited for. */
export function childrenUsage(group: ThreadGroup): Usage {
  return {
    ru_utime: timeval(group.childrenUserTime),
    ru_stime: timeval(group.childrenSystemTime),
    ru_maxrss: group.childrenMaxRss,
  };
}

/** Usage of one thread. */
export function threadUsage(task: { userTime: number; systemTime: number }): Usage {
  return { ru_utime: timeval(task.userTime), ru_stime: timeval(task.systemTime) };
}
