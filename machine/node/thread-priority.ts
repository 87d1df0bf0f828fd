/** V8 compiles on threads of its own (four, in Node), which slow down the one that runs the guest where processors are few. */
import { readdirSync } from "node:fs";
import { setPriority } from "node:os";

const THREADS = "/proc/self/task";
/** As `nice` without a number. */
const NICENESS = 10;

/** Lets this thread, the process's first, go before those that are there besides it. Does nothing where that is not Linux. */
export function putThisThreadFirst(): void {
  try {
    for (const thread of readdirSync(THREADS)) {
      // Linux takes the number of a thread for one of a process (setpriority(2), "C library/kernel differences").
      if (Number(thread) !== process.pid) setPriority(Number(thread), NICENESS);
    }
  } catch {
    // It is no matter of right or wrong.
  }
}
