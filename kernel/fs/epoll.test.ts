import { beforeEach, describe, expect, it } from "vitest";
import { BUFFER, FileMachine } from "../testing/file-machine.ts";

const [ADD, DEL, MOD] = [1, 2, 3];
const [IN, OUT, HUP, ET, ONESHOT] = [1, 4, 0x10, 0x80000000, 0x40000000];

let machine: FileMachine;
let reader: number;
let writer: number;
let epoll: number;
beforeEach(() => {
  machine = new FileMachine();
  machine.call("pipe2", BUFFER, 0);
  [reader, writer] = [machine.word(BUFFER), machine.word(BUFFER + 4)];
  epoll = machine.call("epoll_create1", 0) as number;
});

function event(events: number, data = 7): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, events, true);
  view.setUint32(4, data, true);
  return bytes;
}

const ctl = (operation: number, fd: number, events: number) =>
  machine.call("epoll_ctl", epoll, operation, fd, event(events));
const wait = (timeout = 0) => machine.call("epoll_wait", epoll, BUFFER, 10, timeout);
const send = () => machine.call("write", writer, "x", 1);
const receive = () => machine.call("read", reader, BUFFER + 1000, 1);

describe("epoll", () => {
  it("reports a ready file at every wait, with the caller's data", () => {
    ctl(ADD, reader, IN);
    expect(wait()).toBe(0);
    send();
    expect(wait()).toBe(1);
    expect([machine.word(BUFFER), machine.word(BUFFER + 4)]).toEqual([IN, 7]);
    expect(wait()).toBe(1);
    receive();
    expect(wait()).toBe(0);
  });

  it("with EPOLLET reports each arrival once", () => {
    ctl(ADD, reader, IN | ET);
    send();
    expect([wait(), wait()]).toEqual([1, 0]);
    send();
    expect([wait(), wait()]).toEqual([1, 0]);
    receive();
    receive();
    expect(wait()).toBe(0);
    send();
    expect(wait()).toBe(1);
  });

  it("with EPOLLONESHOT is silent until modified", () => {
    ctl(ADD, reader, IN | ONESHOT);
    send();
    expect([wait(), wait()]).toEqual([1, 0]);
    ctl(MOD, reader, IN | ONESHOT);
    expect(wait()).toBe(1);
  });

  it("reports a hang-up that nobody asked for", () => {
    ctl(ADD, reader, 0);
    machine.call("close", writer);
    expect(wait()).toBe(1);
    expect(machine.word(BUFFER)).toBe(HUP);
  });

  it("sleeps until a file is ready, or the time is up", () => {
    ctl(ADD, reader, IN);
    expect(wait(50)).toBe("blocked");
    const other = machine.newTask();
    other.files = machine.task.files;
    machine.callAs(other, "write", writer, "x", 1);
    expect(machine.woken()).toBe(true);
    expect(machine.again()).toBe(1);
    receive();
    expect(wait(50)).toBe("blocked");
    machine.world.nanoseconds += 50e6;
    expect(machine.again()).toBe(0);
  });

  it("forgets a file that is closed everywhere", () => {
    ctl(ADD, reader, IN);
    send();
    machine.call("close", reader);
    expect(wait()).toBe(0);
  });

  it("can watch another epoll", () => {
    const outer = machine.call("epoll_create1", 0) as number;
    ctl(ADD, reader, IN);
    expect(machine.call("epoll_ctl", outer, ADD, epoll, event(IN))).toBe(0);
    expect(machine.call("epoll_ctl", epoll, ADD, outer, event(IN))).toBe("ELOOP");
    send();
    expect(machine.call("epoll_wait", outer, BUFFER, 10, 0)).toBe(1);
  });

  it.each([
    ["add twice", () => [ctl(ADD, reader, IN), ctl(ADD, reader, IN)][1], "EEXIST"],
    ["modify what is not there", () => ctl(MOD, reader, IN), "ENOENT"],
    ["delete what is not there", () => ctl(DEL, reader, 0), "ENOENT"],
    ["add itself", () => ctl(ADD, epoll, IN), "EINVAL"],
    ["add a bad descriptor", () => ctl(ADD, 99, IN), "EBADF"],
    ["use a pipe as epoll", () => machine.call("epoll_ctl", reader, ADD, writer, event(IN)), "EINVAL"],
    ["an operation that does not exist", () => ctl(9, reader, IN), "EINVAL"],
    ["wait for no events", () => machine.call("epoll_wait", epoll, BUFFER, 0, 0), "EINVAL"],
    ["a size of zero", () => machine.call("epoll_create", 0), "EINVAL"],
    ["unknown flags", () => machine.call("epoll_create1", 1), "EINVAL"],
  ])("%s fails", (_what, act, result) => {
    expect(act()).toBe(result);
  });

  it("refuses regular files and directories with EPERM", () => {
    machine.writeFile("/tmp/f", "");
    const file = machine.call("open", "/tmp/f", 0, 0) as number;
    const directory = machine.call("open", "/tmp", 0, 0) as number;
    expect([ctl(ADD, file, IN), ctl(ADD, directory, IN)]).toEqual(["EPERM", "EPERM"]);
  });
});

describe("poll and select", () => {
  const pollfd = (fd: number, events: number) => {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, fd, true);
    view.setInt16(4, events, true);
    return bytes;
  };

  it.each([
    ["a pipe with room", () => writer, OUT, 1],
    ["an empty pipe", () => reader, IN, 0],
    ["a bad descriptor", () => 99, IN, 1],
    ["a negative descriptor", () => -1, IN, 0],
  ])("poll of %s", (_what, fd, events, ready) => {
    expect(machine.call("poll", pollfd(fd(), events), 1, 0)).toBe(ready);
  });

  it("poll sleeps until the time is up, to the nanosecond", () => {
    expect(machine.call("poll", pollfd(reader, IN), 1, 1)).toBe("blocked");
    machine.world.nanoseconds += 999_999;
    expect(machine.again()).toBe("blocked");
    machine.world.nanoseconds += 1;
    expect(machine.again()).toBe(0);
  });

  it("select answers with sets of what is ready", () => {
    send();
    const set = new Uint8Array(8);
    set[0] = (1 << reader) | (1 << writer);
    expect(machine.call("select", 10, set, 0, 0, new Uint8Array(16))).toBe(1);
    expect(machine.call("select", 10, 0, set, 0, new Uint8Array(16))).toBe(1);
    set[0] = 0x80;
    expect(machine.call("select", 10, set, 0, 0, new Uint8Array(16))).toBe("EBADF");
    expect(machine.call("select", -1, 0, 0, 0, 0)).toBe("EINVAL");
  });
});

describe("eventfd", () => {
  const number = (value: bigint) => new Uint8Array(BigUint64Array.of(value).buffer);

  it("adds what is written and gives it back at once", () => {
    const fd = machine.call("eventfd2", 3, 0) as number;
    machine.call("write", fd, number(4n), 8);
    expect(machine.call("read", fd, BUFFER, 8)).toBe(8);
    expect(machine.word(BUFFER)).toBe(7);
    expect(machine.call("read", fd, BUFFER, 8)).toBe("blocked");
  });

  it("as a semaphore gives one at a time", () => {
    const fd = machine.call("eventfd2", 2, 1 | 0o4000) as number;
    expect([1, 2, 3].map(() => machine.call("read", fd, BUFFER, 8))).toEqual([8, 8, "EAGAIN"]);
  });

  it.each([
    ["read", [BUFFER, 7], "EINVAL"],
    ["write", [BUFFER, 7], "EINVAL"],
    ["write", [new Uint8Array(8).fill(255), 8], "EINVAL"],
    ["write", [number(0xfffffffffffffffen), 8], "EAGAIN"],
    ["read", [0x600000, 8], "EFAULT"],
  ] as const)("%s%j fails", (name, args, result) => {
    const fd = machine.call("eventfd2", 1, 0o4000) as number;
    expect(machine.call(name, fd, ...args)).toBe(result);
    expect(machine.call("read", fd, BUFFER, 8)).toBe(8);
  });
});
