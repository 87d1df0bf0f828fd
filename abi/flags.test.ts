import { describe, expect, test } from "vitest";
import { clone3Flags, cloneFlags } from "./clone.ts";
import { errnoByNumber, errnoName, EAGAIN, EINVAL, EWOULDBLOCK } from "./errno.ts";
import { accessModes, AT_FDCWD, fcntlCommands, openFlags } from "./fcntl.ts";
import { enumSet, flagSet, formatOctal } from "./flags.ts";
import { futexOperations } from "./futex.ts";
import { mmapFlags, protFlags } from "./mman.ts";
import { signalName, signals } from "./signal.ts";
import { fileMode, makedev, splitDevice } from "./stat.ts";
import { decodeWaitStatus, exitedStatus, signaledStatus, stoppedStatus } from "./wait.ts";

describe("a flag set prints as strace does", () => {
  test.each([
    [openFlags, 0, "O_RDONLY"],
    [openFlags, 0o102, "O_RDWR|O_CREAT"],
    [openFlags, 0o102 | 0x4000_0000, "O_RDWR|O_CREAT|0x40000000"],
    [openFlags, 0o4010001, "O_WRONLY|O_SYNC"],
    [openFlags, 0o20200002, "O_RDWR|O_TMPFILE"],
    [openFlags, 3, "0x3"],
    [openFlags, 0xff80_0000, "O_RDONLY|0xff800000"],
    [protFlags, 0, "PROT_NONE"],
    [protFlags, 5, "PROT_READ|PROT_EXEC"],
    [mmapFlags, 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"],
    [accessModes, 0, "F_OK"],
    [cloneFlags, 0, "0"],
    [cloneFlags, 17, "SIGCHLD"],
    [cloneFlags, 0x20000011, "CLONE_NEWPID|SIGCHLD"],
    [cloneFlags, 200, "0xc8"],
    [clone3Flags, 1n << 33n, "CLONE_INTO_CGROUP"],
    [clone3Flags, 1n << 63n, "0x8000000000000000"],
    [fileMode, 0o100644, "S_IFREG|0644"],
    [fileMode, 0o41777, "S_IFDIR|S_ISVTX|0777"],
    [fileMode, 0o600, "0600"],
    [futexOperations, 128, "FUTEX_WAIT_PRIVATE"],
    [futexOperations, 393, "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME"],
  ])("case %#", (set, value, text) => {
    expect(set.format(value)).toBe(text);
  });

  test("and parses what it printed", () => {
    expect(openFlags.parse("O_RDWR|O_CREAT|0x40000000")).toBe(0x4000_0042);
    expect(clone3Flags.parse("CLONE_INTO_CGROUP|CLONE_VM")).toBe(0x2_0000_0100);
    expect(fileMode.parse("S_IFREG|0644")).toBe(0o100644);
    expect(protFlags.parse("PROT_NONE")).toBe(0);
    expect(() => openFlags.parse("O_RDWR|O_BOGUS")).toThrow("O_BOGUS is not one of open flags");
  });

  test("a negative number is the 32-bit word it came from", () => {
    expect(flagSet("sample", { HIGH: 0x8000_0000 }).format(-0x8000_0000)).toBe("HIGH");
  });
});

describe("an enumeration", () => {
  test("prints a name, or the number with the pattern beside it", () => {
    expect(fcntlCommands.format(3)).toBe("F_GETFL");
    expect(fcntlCommands.format(999)).toBe("0x3e7 /* F_??? */");
    expect(enumSet("sample", { A: 1 }).format(7)).toBe("0x7");
    expect(fcntlCommands.parse("F_GETFL")).toBe(3);
  });

  test("knows signals up to the last real-time one", () => {
    expect(signalName(2)).toBe("SIGINT");
    expect(signalName(32)).toBe("SIGRTMIN");
    expect(signalName(64)).toBe("SIGRT_32");
    expect(signalName(65)).toBe("65");
    expect(signals.parse("SIGKILL")).toBe(9);
  });
});

test("octal permissions have three digits after the 0", () => {
  expect([0, 4, 0o44, 0o644, 0o1777].map(formatOctal)).toEqual(["000", "0004", "0044", "0644", "01777"]);
});

test("an Errno is one frozen object without a stack", () => {
  expect(Object.isFrozen(EINVAL)).toBe(true);
  expect(EINVAL).toMatchObject({ number: 22, name: "EINVAL", text: "Invalid argument" });
  expect(EINVAL).not.toBeInstanceOf(Error);
  expect(EWOULDBLOCK).toBe(EAGAIN);
  expect(errnoByNumber.get(22)).toBe(EINVAL);
  expect([errnoName(2), errnoName(512), errnoName(4000)]).toEqual(["ENOENT", "ERESTARTSYS", "4000"]);
});

test("wait statuses come apart as they were put together", () => {
  expect(decodeWaitStatus(exitedStatus(300))).toEqual({ kind: "exited", code: 44 });
  expect(decodeWaitStatus(signaledStatus(11, true))).toEqual({ kind: "signaled", signal: 11, coreDumped: true });
  expect(decodeWaitStatus(stoppedStatus(5, 3))).toEqual({ kind: "stopped", signal: 5, ptraceEvent: 3 });
  expect(decodeWaitStatus(0xffff)).toEqual({ kind: "continued" });
});

test("device numbers survive the encoding of stat(2)", () => {
  expect(makedev(136, 3)).toBe(0x8803n);
  for (const device of [
    [8, 1],
    [259, 300],
    [0xfffff, 0xfffff],
  ] as const) {
    expect(splitDevice(makedev(device[0], device[1]))).toEqual(device);
  }
});

test("AT_FDCWD is the only negative descriptor with a name", () => {
  expect(AT_FDCWD).toBe(-100);
});
