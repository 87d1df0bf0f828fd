import { beforeEach, describe, expect, it } from "vitest";
import { flock as layout } from "../../abi/fcntl.ts";
import type { Task } from "../task/task.ts";
import { BUFFER, FileMachine } from "../testing/file-machine.ts";

const [GETLK, SETLK, SETLKW, OFD_SETLK] = [5, 6, 7, 37];
const [READ, WRITE, UNLOCK] = [0, 1, 2];
const [SHARED, EXCLUSIVE, NONBLOCK, UNLOCK_ALL] = [1, 2, 4, 8];

let machine: FileMachine;
let other: Task;
beforeEach(() => {
  machine = new FileMachine();
  other = machine.newTask();
  machine.writeFile("/tmp/f", "0123456789");
  machine.call("open", "/tmp/f", 2, 0);
  machine.callAs(other, "open", "/tmp/f", 2, 0);
});

const lock = (type: number, start: number, length: number) =>
  layout.bytes({ l_type: type, l_whence: 0, l_start: start, l_len: length });
const set = (task: Task, command: number, type: number, start = 0, length = 0) =>
  machine.callAs(task, "fcntl", 0, command, lock(type, start, length));

describe("record locks", () => {
  it("of two processes exclude each other where they overlap", () => {
    expect(set(machine.task, SETLK, WRITE, 2, 3)).toBe(0);
    expect(set(other, SETLK, WRITE, 0, 2)).toBe(0);
    expect(set(other, SETLK, READ, 4, 1)).toBe("EAGAIN");
    expect(set(other, SETLK, READ, 5, 1)).toBe(0);
  });

  it("for reading go together", () => {
    expect(set(machine.task, SETLK, READ)).toBe(0);
    expect(set(other, SETLK, READ)).toBe(0);
    expect(set(other, SETLK, WRITE)).toBe("EAGAIN");
  });

  it("can be asked about", () => {
    set(machine.task, SETLK, WRITE, 2, 3);
    const question = lock(WRITE, 0, 0);
    machine.callAs(other, "fcntl", 0, GETLK, question);
    const address = 0x100000;
    expect(machine.word(address, other) & 0xffff).toBe(WRITE);
    expect(machine.word(address + layout.offsets.l_start, other)).toBe(2);
    expect(machine.word(address + layout.offsets.l_pid, other)).toBe(machine.task.tid);
  });

  it("unlocked in the middle leave both ends", () => {
    set(machine.task, SETLK, WRITE, 0, 10);
    set(machine.task, SETLK, UNLOCK, 4, 2);
    expect(set(other, SETLK, WRITE, 4, 2)).toBe(0);
    expect(set(other, SETLK, WRITE, 3, 1)).toBe("EAGAIN");
    expect(set(other, SETLK, WRITE, 6, 1)).toBe("EAGAIN");
  });

  it("are waited for with F_SETLKW", () => {
    set(machine.task, SETLK, WRITE);
    expect(set(other, SETLKW, WRITE)).toBe("blocked");
    set(machine.task, SETLK, UNLOCK);
    expect(machine.woken(other)).toBe(true);
    expect(machine.again(other)).toBe(0);
  });

  it("waited for in a circle give EDEADLK", () => {
    set(machine.task, SETLK, WRITE, 0, 1);
    set(other, SETLK, WRITE, 1, 1);
    expect(set(machine.task, SETLKW, WRITE, 1, 1)).toBe("blocked");
    expect(set(other, SETLKW, WRITE, 0, 1)).toBe("EDEADLK");
  });

  it("go when the process closes any descriptor of the file", () => {
    set(machine.task, SETLK, WRITE);
    const second = machine.call("open", "/tmp/f", 0, 0) as number;
    machine.call("close", second);
    expect(set(other, SETLK, WRITE)).toBe(0);
  });

  it("of an open file stay until that is closed, and exclude the process's own", () => {
    set(machine.task, OFD_SETLK, WRITE);
    const second = machine.call("open", "/tmp/f", 2, 0) as number;
    expect(machine.call("fcntl", second, OFD_SETLK, lock(WRITE, 0, 0))).toBe("EAGAIN");
    machine.call("close", second);
    expect(set(other, SETLK, WRITE)).toBe("EAGAIN");
    machine.call("close", 0);
    expect(set(other, SETLK, WRITE)).toBe(0);
  });

  it.each([
    [SETLK, 9, 0, 0, "EINVAL"],
    [SETLK, WRITE, -1, 0, "EINVAL"],
    [SETLK, WRITE, 5, -6, "EINVAL"],
    [SETLK, WRITE, 5, -5, 0],
  ])("command %i type %i at %i, %i bytes gives %s", (command, type, start, length, result) => {
    expect(set(machine.task, command, type, start, length)).toBe(result);
  });

  it("need a descriptor that permits the access", () => {
    const reader = machine.call("open", "/tmp/f", 0, 0) as number;
    expect(machine.call("fcntl", reader, SETLK, lock(WRITE, 0, 0))).toBe("EBADF");
    expect(machine.call("fcntl", reader, SETLK, 0x600000)).toBe("EFAULT");
  });
});

describe("flock", () => {
  const flock = (task: Task, operation: number) => machine.callAs(task, "flock", 0, operation);

  it("excludes other open files and waits for them", () => {
    expect(flock(machine.task, EXCLUSIVE)).toBe(0);
    expect(flock(machine.task, EXCLUSIVE)).toBe(0);
    expect(flock(other, SHARED | NONBLOCK)).toBe("EAGAIN");
    expect(flock(other, SHARED)).toBe("blocked");
    flock(machine.task, UNLOCK_ALL);
    expect(machine.again(other)).toBe(0);
    expect(flock(machine.task, SHARED)).toBe(0);
  });

  it("is given up with the last descriptor of the open file", () => {
    flock(machine.task, EXCLUSIVE);
    const copy = machine.call("dup", 0) as number;
    machine.call("close", 0);
    expect(flock(other, EXCLUSIVE | NONBLOCK)).toBe("EAGAIN");
    machine.call("close", copy);
    expect(flock(other, EXCLUSIVE | NONBLOCK)).toBe(0);
  });

  it.each([
    [0, "EINVAL"],
    [3, "EINVAL"],
    [16, "EINVAL"],
  ])("with operation %i gives %s", (operation, result) => {
    expect(flock(machine.task, operation)).toBe(result);
    expect(machine.call("fstat", 0, BUFFER)).toBe(0);
  });
});
