/** What happens to a process that has no handler for a signal (signal(7), standard signals). */
import * as abi from "../../abi/signal.ts";
import { SignalSet } from "./signal-set.ts";

export type DefaultAction = "terminate" | "core" | "ignore" | "stop" | "continue";

const IGNORED = SignalSet.of(abi.SIGCHLD, abi.SIGURG, abi.SIGWINCH);
export const STOP_SIGNALS = SignalSet.of(abi.SIGSTOP, abi.SIGTSTP, abi.SIGTTIN, abi.SIGTTOU);
export const CONTINUE_SIGNALS = SignalSet.of(abi.SIGCONT);
/** No action of any process changes what these do. */
export const UNSTOPPABLE = SignalSet.of(abi.SIGKILL, abi.SIGSTOP);
const CORE = SignalSet.of(
  abi.SIGQUIT,
  abi.SIGILL,
  abi.SIGTRAP,
  abi.SIGABRT,
  abi.SIGBUS,
  abi.SIGFPE,
  abi.SIGSEGV,
  abi.SIGXCPU,
  abi.SIGXFSZ,
  abi.SIGSYS,
);

export function defaultAction(signal: number): DefaultAction {
  if (signal === abi.SIGCONT) return "continue";
  if (IGNORED.has(signal)) return "ignore";
  if (STOP_SIGNALS.has(signal)) return "stop";
  return CORE.has(signal) ? "core" : "terminate";
}
