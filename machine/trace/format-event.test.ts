import { expect, test } from "vitest";
import { siginfo_fault, siginfo_sigchld } from "../../abi/signal.ts";
import { formatEndLine, formatSignalLine } from "./format-event.ts";

const view = (bytes: Uint8Array<ArrayBuffer>) => new DataView(bytes.buffer);

test("a signal shows the fields that its code fills", () => {
  expect(formatSignalLine(view(siginfo_fault.bytes({ si_signo: 11, si_code: 1, si_addr: 0x10 })))).toBe(
    "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---",
  );
  expect(formatSignalLine(view(siginfo_sigchld.bytes({ si_signo: 17, si_code: 2, si_pid: 5, si_status: 9 })))).toBe(
    "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=5, si_uid=0, si_status=SIGKILL, si_utime=0, si_stime=0} ---",
  );
});

test("a task's end says how", () => {
  expect(formatEndLine(3 << 8)).toBe("+++ exited with 3 +++");
  expect(formatEndLine(9)).toBe("+++ killed by SIGKILL +++");
  expect(formatEndLine(0x8b)).toBe("+++ killed by SIGSEGV (core dumped) +++");
});
