import { siginfo, signals, signalName } from "../../abi/signal.ts";
import { decodeWaitStatus } from "../../abi/wait.ts";
import { formatSiginfo } from "./format-struct.ts";

/** `--- SIGCHLD {si_signo=SIGCHLD, ...} ---`: a task takes a signal; the view is its 128-byte siginfo_t. */
export function formatSignalLine(info: DataView): string {
  return `--- ${signalName(siginfo.decode(info).si_signo)} ${formatSiginfo(info)} ---`;
}

/** `+++ exited with 0 +++`: a task has ended with this wait status. */
export function formatEndLine(status: number): string {
  const decoded = decodeWaitStatus(status);
  switch (decoded.kind) {
    case "exited":
      return `+++ exited with ${decoded.code} +++`;
    case "signaled":
      return `+++ killed by ${signals.format(decoded.signal)}${decoded.coreDumped ? " (core dumped)" : ""} +++`;
    case "stopped":
      return `--- stopped by ${signals.format(decoded.signal & 0x7f)} ---`;
    case "continued":
      return "--- continued ---";
  }
}
