import { enumSet, flagSet } from "./flags.ts";

// wait4(2), waitid(2)
export const WNOHANG = 1;
export const WUNTRACED = 2;
export const WEXITED = 4;
export const WCONTINUED = 8;
export const WNOWAIT = 0x1000000;
export const __WNOTHREAD = 0x20000000;
export const __WALL = 0x40000000;
export const __WCLONE = 0x80000000;
export const WSTOPPED = WUNTRACED;
export const wait4Options = flagSet("wait4 options", { WNOHANG, WUNTRACED, WCONTINUED, __WNOTHREAD, __WALL, __WCLONE });
export const waitidOptions = flagSet("waitid options", {
  WNOHANG,
  WSTOPPED,
  WEXITED,
  WCONTINUED,
  WNOWAIT,
  __WNOTHREAD,
  __WALL,
  __WCLONE,
});

export const P_ALL = 0;
export const P_PID = 1;
export const P_PGID = 2;
export const P_PIDFD = 3;
export const waitidTypes = enumSet("waitid types", { P_ALL, P_PID, P_PGID, P_PIDFD }, { unknown: "P_???" });

/** Wait status of a process that called exit(code). */
export function exitedStatus(code: number): number {
  return (code & 0xff) << 8;
}

/** Wait status of a process killed by a signal. */
export function signaledStatus(signal: number, coreDumped = false): number {
  return (signal & 0x7f) | (coreDumped ? 0x80 : 0);
}

/** Wait status of a stopped process; a ptrace event sits above the signal. */
export function stoppedStatus(signal: number, ptraceEvent = 0): number {
  return (ptraceEvent << 16) | ((signal & 0xff) << 8) | 0x7f;
}

/** Wait status of a process resumed by SIGCONT. */
export const CONTINUED_STATUS = 0xffff;

/** A wait status taken apart, wait(2). */
export type WaitStatus =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: number; readonly coreDumped: boolean }
  | { readonly kind: "stopped"; readonly signal: number; readonly ptraceEvent: number }
  | { readonly kind: "continued" };

export function decodeWaitStatus(status: number): WaitStatus {
  if (status === CONTINUED_STATUS) return { kind: "continued" };
  const low = status & 0x7f;
  if (low === 0) return { kind: "exited", code: (status >> 8) & 0xff };
  if (low === 0x7f) return { kind: "stopped", signal: (status >> 8) & 0xff, ptraceEvent: status >> 16 };
  return { kind: "signaled", signal: low, coreDumped: (status & 0x80) !== 0 };
}
