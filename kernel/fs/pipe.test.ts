import { beforeEach, describe, expect, it } from "vitest";
import type { Task } from "../task/task.ts";
import { BAD_ADDRESS, BUFFER, FileMachine } from "../testing/file-machine.ts";

const [NONBLOCK, CLOEXEC, DIRECT] = [0o4000, 0o2000000, 0o40000];
const SIGPIPE = 13;
const CAPACITY = 65536;

let machine: FileMachine;
let other: Task;
beforeEach(() => {
  machine = new FileMachine();
  other = machine.newTask();
});

/** A pipe whose ends both tasks have. */
function pipe(flags = 0): [number, number] {
  machine.call("pipe2", BUFFER, flags);
  const ends: [number, number] = [machine.word(BUFFER), machine.word(BUFFER + 4)];
  other.files = machine.task.files;
  return ends;
}

describe("pipe2", () => {
  it.each([
    [BUFFER, 0, 0],
    [BUFFER, NONBLOCK | CLOEXEC | DIRECT, 0],
    [BUFFER, 1, "EINVAL"],
    [BAD_ADDRESS, 0, "EFAULT"],
  ])("(%i, %i) gives %s", (address, flags, result) => {
    expect(machine.call("pipe2", address, flags)).toBe(result);
  });

  it("leaves no descriptor behind when the array cannot be written", () => {
    machine.call("pipe2", BAD_ADDRESS, 0);
    expect([...machine.task.files.entries()]).toEqual([]);
  });

  it("leaves no descriptor behind when only one is free", () => {
    machine.task.group.limits[7] = { current: 1, maximum: 1 };
    expect(machine.call("pipe2", BUFFER, 0)).toBe("EMFILE");
    expect([...machine.task.files.entries()]).toEqual([]);
  });
});

describe("a pipe", () => {
  it("hands bytes over in order, across the end of its ring", () => {
    const [reader, writer] = pipe();
    let sent = 0;
    let got = "";
    let expected = "";
    for (let round = 0; round < 40; round++) {
      const text = String(sent++).padStart(3000, "-");
      expected += text;
      expect(machine.call("write", writer, text, text.length)).toBe(3000);
      if (round % 3 !== 0) got += machine.text(machine.call("read", reader, BUFFER, 4500) as number);
    }
    while (got.length < expected.length) got += machine.text(machine.call("read", reader, BUFFER, 5000) as number);
    expect(got).toBe(expected);
  });

  it("lets a reader sleep until there is something to read", () => {
    const [reader, writer] = pipe();
    expect(machine.call("read", reader, BUFFER, 10)).toBe("blocked");
    machine.callAs(other, "write", writer, "hi", 2);
    expect(machine.woken()).toBe(true);
    expect(machine.again()).toBe(2);
  });

  it("is at its end when the last writer is gone", () => {
    const [reader, writer] = pipe();
    expect(machine.call("read", reader, BUFFER, 10)).toBe("blocked");
    machine.callAs(other, "close", writer);
    expect(machine.again()).toBe(0);
  });

  it("breaks with SIGPIPE and EPIPE when nobody reads", () => {
    const [reader, writer] = pipe();
    machine.call("close", reader);
    expect(machine.call("write", writer, "x", 1)).toBe("EPIPE");
    expect(machine.task.pending.set.has(SIGPIPE)).toBe(true);
  });

  it("takes a long write in parts, and finishes it as room appears", () => {
    const [reader, writer] = pipe();
    const length = CAPACITY + 5000;
    expect(machine.call("write", writer, BUFFER, length)).toBe("blocked");
    expect(machine.task.callInterrupted).toBe(CAPACITY);
    machine.callAs(other, "read", reader, BUFFER, 5000);
    expect(machine.woken()).toBe(true);
    expect(machine.again()).toBe(length);
    expect(machine.callAs(other, "read", reader, BUFFER, 2 * CAPACITY)).toBe(CAPACITY);
  });

  it("does not split a write of PIPE_BUF bytes or less", () => {
    const [, writer] = pipe(NONBLOCK);
    expect(machine.call("write", writer, BUFFER, CAPACITY - 100)).toBe(CAPACITY - 100);
    expect(machine.call("write", writer, BUFFER, 101)).toBe("EAGAIN");
    expect(machine.call("write", writer, BUFFER, 4096)).toBe("EAGAIN");
    expect(machine.call("write", writer, BUFFER, 5000)).toBe(100);
  });

  it("loses nothing when the reader's buffer is bad", () => {
    const [reader, writer] = pipe();
    machine.call("write", writer, "precious", 8);
    expect(machine.call("read", reader, BAD_ADDRESS, 8)).toBe("EFAULT");
    expect(machine.call("read", reader, BUFFER, 8)).toBe(8);
    expect(machine.text(8)).toBe("precious");
  });

  it("takes nothing when the writer's buffer is bad", () => {
    const [reader, writer] = pipe(NONBLOCK);
    expect(machine.call("write", writer, BAD_ADDRESS, 8)).toBe("EFAULT");
    expect(machine.call("read", reader, BUFFER, 8)).toBe("EAGAIN");
  });

  it("in packet mode gives one packet a read, and drops what does not fit", () => {
    const [reader, writer] = pipe(DIRECT | NONBLOCK);
    machine.call("write", writer, "first", 5);
    machine.call("write", writer, "second", 6);
    expect(machine.call("read", reader, BUFFER, 3)).toBe(3);
    expect(machine.call("read", reader, BUFFER, 100)).toBe(6);
    expect(machine.text(6)).toBe("second");
    expect(machine.call("read", reader, BUFFER, 100)).toBe("EAGAIN");
  });

  it.each([
    [0, 4096],
    [4097, 8192],
    [1 << 20, 1 << 20],
    [(1 << 20) + 1, 2 << 20],
  ])("asked to hold %i bytes holds %i", (wanted, capacity) => {
    const [reader] = pipe();
    expect(machine.call("fcntl", reader, 1031, wanted)).toBe(capacity);
    expect(machine.call("fcntl", reader, 1032, 0)).toBe(capacity);
  });

  it("cannot be made smaller than what is in it", () => {
    const [, writer] = pipe();
    machine.call("write", writer, BUFFER, 5000);
    expect(machine.call("fcntl", writer, 1031, 4096)).toBe("EBUSY");
  });

  it.each([
    ["lseek", [0, 0, 0], "ESPIPE"],
    ["pread64", [0, BUFFER, 1, 0], "ESPIPE"],
    ["write", [0, BUFFER, 1], "EBADF"],
    ["read", [1, BUFFER, 1], "EBADF"],
    ["ftruncate", [1, 0], "EINVAL"],
    ["fsync", [0], "EINVAL"],
    ["ioctl", [0, 0x5401, BUFFER], "ENOTTY"],
    ["ioctl", [0, 0x541b, BUFFER], 0],
    ["getdents64", [0, BUFFER, 100], "ENOTDIR"],
    ["fchdir", [0], "ENOTDIR"],
  ] as const)("%s%j gives %s", (name, args, result) => {
    pipe();
    expect(machine.call(name, ...args)).toBe(result);
  });
});

describe("a FIFO", () => {
  beforeEach(() => {
    machine.call("mknod", "/tmp/fifo", 0o10644, 0);
  });

  it("makes opening for reading wait for a writer, which then finds a reader", () => {
    expect(machine.call("open", "/tmp/fifo", 0, 0)).toBe("blocked");
    const writer = machine.callAs(other, "open", "/tmp/fifo", 1, 0);
    expect(writer).toBe(0);
    expect(machine.woken()).toBe(true);
    // The reader has not run yet, and still nothing breaks.
    expect(machine.callAs(other, "write", 0, "early", 5)).toBe(5);
    machine.callAs(other, "close", 0);
    expect(machine.again()).toBe(0);
    expect(machine.call("read", 0, BUFFER, 10)).toBe(5);
    expect(machine.call("read", 0, BUFFER, 10)).toBe(0);
  });

  it("makes opening for writing wait for a reader", () => {
    expect(machine.call("open", "/tmp/fifo", 1, 0)).toBe("blocked");
    expect(machine.callAs(other, "open", "/tmp/fifo", 0, 0)).toBe(0);
    expect(machine.callAs(other, "read", 0, BUFFER, 1)).toBe("blocked");
    expect(machine.again()).toBe(0);
  });

  it("opened without waiting succeeds for readers and gives writers ENXIO", () => {
    expect(machine.call("open", "/tmp/fifo", 1 | NONBLOCK, 0)).toBe("ENXIO");
    expect(machine.call("open", "/tmp/fifo", NONBLOCK, 0)).toBe(0);
    expect(machine.call("open", "/tmp/fifo", 1 | NONBLOCK, 0)).toBe(1);
  });

  it("opened for both waits for nobody", () => {
    expect(machine.call("open", "/tmp/fifo", 2, 0)).toBe(0);
  });
});

describe("splice and its relatives", () => {
  it("move bytes between files and pipes without losing any", () => {
    const [reader, writer] = pipe();
    machine.writeFile("/tmp/in", "some contents");
    const source = machine.call("open", "/tmp/in", 0, 0) as number;
    const target = machine.call("open", "/tmp/out", 0o101, 0o644) as number;
    expect(machine.call("splice", source, 0, writer, 0, 100, 0)).toBe(13);
    expect(machine.call("splice", reader, 0, target, 0, 4, 0)).toBe(4);
    expect(machine.call("splice", reader, 0, target, 0, 100, 0)).toBe(9);
    expect(machine.readFile("/tmp/out")).toBe("some contents");
    expect(machine.call("splice", reader, 0, target, 0, 100, 2)).toBe("EAGAIN");
  });

  it("tee copies and leaves the bytes where they were", () => {
    const [reader, writer] = pipe();
    const [reader2, writer2] = pipe();
    machine.call("write", writer, "twice", 5);
    expect(machine.call("tee", reader, writer2, 100, 0)).toBe(5);
    expect(machine.call("read", reader2, BUFFER, 10)).toBe(5);
    expect(machine.call("read", reader, BUFFER, 10)).toBe(5);
  });

  it("sendfile fills a pipe as far as it goes and moves the offset by that", () => {
    const [, writer] = pipe();
    machine.writeFile("/tmp/in", "x".repeat(100_000));
    const source = machine.call("open", "/tmp/in", 0, 0) as number;
    expect(machine.call("sendfile", writer, source, 0, 200_000)).toBe(CAPACITY);
    expect(machine.call("lseek", source, 0, 1)).toBe(CAPACITY);
    expect(machine.call("sendfile", writer, source, 0, 1)).toBe("blocked");
  });

  it.each([
    ["copy_file_range", "same file overlapping", "EINVAL"],
    ["copy_file_range", "apart", 4],
  ])("%s: %s", (_name, how, result) => {
    machine.writeFile("/tmp/f", "0123456789");
    const fd = machine.call("open", "/tmp/f", 2, 0) as number;
    const to = new Uint8Array(8);
    to[0] = how === "apart" ? 6 : 2;
    expect(machine.call("copy_file_range", fd, 0, fd, to, 4, 0)).toBe(result);
  });
});
