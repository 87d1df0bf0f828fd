import { beforeEach, describe, expect, it } from "vitest";
import {
  TCGETS,
  TCSETS,
  TIOCGPGRP,
  TIOCGSID,
  TIOCGWINSZ,
  TIOCNOTTY,
  TIOCSCTTY,
  TIOCSPGRP,
  FIONREAD,
} from "../../abi/ioctl.ts";
import { SIGCONT, SIGHUP, SIGINT, SIGTTIN, SIGTTOU, SIGWINCH } from "../../abi/signal.ts";
import { ICANON, TOSTOP, VMIN, VTIME, termios } from "../../abi/termios.ts";
import { SignalSet } from "../signal/signal-set.ts";
import type { Task } from "../task/task.ts";
import { FakeWorld } from "../testing/fake-world.ts";
import { BUFFER, FileMachine } from "../testing/file-machine.ts";
import { sessionLeaderEnded, type Tty } from "./tty.ts";

let world: FakeWorld;
let machine: FileMachine;
let tty: Tty;
/** In the same session, in a background process group of its own. */
let background: Task;

beforeEach(() => {
  world = new FakeWorld(["terminal", "terminal", "terminal"]);
  machine = new FileMachine({}, world);
  for (const file of machine.kernel.console.openStreams()) machine.task.files.install(file, 0);
  tty = machine.kernel.console.tty!;
  tty.control(machine.task.group);
  background = machine.newTask();
  background.group.setProcessGroup(background.group.pid);
  for (const file of machine.kernel.console.openStreams()) background.files.install(file, 0);
});

const type = (text: string) => machine.kernel.console.input(Uint8Array.from(text, (one) => one.charCodeAt(0)));
const got = (task: Task, signo: number) => task.group.pending.set.has(signo) || task.pending.set.has(signo);

describe("a terminal", () => {
  it("is named, so that ttyname finds it", () => {
    const length = machine.call("readlink", "/proc/self/fd/0", BUFFER, 100) as number;
    expect(machine.text(length)).toBe("/dev/console");
  });

  it("lets a reader sleep until a line has been typed", () => {
    expect(machine.call("read", 0, BUFFER, 100)).toBe("blocked");
    expect(world.wantedInput).toBeGreaterThan(0);
    type("hi");
    expect(machine.woken()).toBe(false);
    type("\r");
    expect(machine.woken()).toBe(true);
    expect(machine.again()).toBe(3);
    expect(world.takeOutput()).toBe("hi\r\n");
  });

  it("turns newlines into carriage return and newline", () => {
    machine.call("write", 1, "a\nb\n", 4);
    expect(world.takeOutput()).toBe("a\r\nb\r\n");
  });

  it("keeps input that the reader's buffer could not take", () => {
    type("text\r");
    expect(machine.call("read", 0, 0x600000, 100)).toBe("EFAULT");
    expect(machine.call("read", 0, BUFFER, 100)).toBe(5);
  });

  it("sends ^C to the foreground job", () => {
    type("\x03");
    expect(got(machine.task, SIGINT)).toBe(true);
    expect(got(background, SIGINT)).toBe(false);
  });

  it("tells the foreground job when its size changes", () => {
    machine.task.actions.set(SIGWINCH, { handler: 0x1000, flags: 0, restorer: 0, mask: new SignalSet() });
    world.size.columns = 132;
    machine.kernel.console.resized();
    expect(got(machine.task, SIGWINCH)).toBe(true);
    machine.call("ioctl", 0, TIOCGWINSZ, BUFFER);
    expect(machine.word(BUFFER)).toBe(24 + 132 * 65536);
  });

  it("does not write while stopped by ^S", () => {
    type("\x13");
    expect(machine.call("write", 1, "x", 1)).toBe("blocked");
    type("\x11");
    expect(machine.woken()).toBe(true);
    expect(machine.again()).toBe(1);
  });
});

describe("VMIN and VTIME", () => {
  const raw = (minimum: number, time: number) => {
    tty.termios.local &= ~ICANON;
    tty.termios.characters[VMIN] = minimum;
    tty.termios.characters[VTIME] = time;
  };

  it("VMIN bytes are waited for, but not more than are asked for", () => {
    raw(3, 0);
    expect(machine.call("read", 0, BUFFER, 100)).toBe("blocked");
    type("ab");
    expect(machine.again()).toBe("blocked");
    type("c");
    expect(machine.again()).toBe(3);
    type("d");
    expect(machine.call("read", 0, BUFFER, 1)).toBe(1);
  });

  it("both zero: what is there, at once", () => {
    raw(0, 0);
    expect(machine.call("read", 0, BUFFER, 100)).toBe(0);
    type("a");
    expect(machine.call("read", 0, BUFFER, 100)).toBe(1);
  });

  it("VTIME alone: the first byte or the end of the time", () => {
    raw(0, 5);
    expect(machine.call("read", 0, BUFFER, 100)).toBe("blocked");
    world.nanoseconds += 5e8;
    expect(machine.again()).toBe(0);
  });

  it("both: the time runs between bytes", () => {
    raw(10, 5);
    expect(machine.call("read", 0, BUFFER, 100)).toBe("blocked");
    world.nanoseconds += 9e8;
    expect(machine.again()).toBe("blocked");
    type("ab");
    expect(machine.again()).toBe("blocked");
    world.nanoseconds += 5e8;
    expect(machine.again()).toBe(2);
  });
});

describe("job control", () => {
  it("stops a background reader with SIGTTIN, to be restarted", () => {
    type("x\r");
    expect(machine.callAs(background, "read", 0, BUFFER, 1)).toBe("ERESTARTSYS");
    expect(got(background, SIGTTIN)).toBe(true);
  });

  it("gives EIO to a background reader that ignores SIGTTIN", () => {
    background.blockedSignals.add(SIGTTIN);
    expect(machine.callAs(background, "read", 0, BUFFER, 1)).toBe("EIO");
  });

  it("stops a background writer only with TOSTOP", () => {
    expect(machine.callAs(background, "write", 1, "x", 1)).toBe(1);
    tty.termios.local |= TOSTOP;
    expect(machine.callAs(background, "write", 1, "x", 1)).toBe("ERESTARTSYS");
    expect(got(background, SIGTTOU)).toBe(true);
    background.blockedSignals.add(SIGTTOU);
    expect(machine.callAs(background, "write", 1, "x", 1)).toBe(1);
  });

  it("stops a background job that changes settings", () => {
    const modes = termios.bytes({});
    expect(machine.callAs(background, "ioctl", 0, TCSETS, modes)).toBe("ERESTARTSYS");
    expect(got(background, SIGTTOU)).toBe(true);
  });

  it("moves a group of the session into the foreground, and no other", () => {
    const group = (task: Task) => new Uint8Array(Int32Array.of(task.tid).buffer);
    expect(machine.call("ioctl", 0, TIOCSPGRP, group(background))).toBe(0);
    expect(tty.foreground).toBe(background.group.pid);
    const stranger = machine.newTask();
    stranger.group.setSession(stranger.group.pid);
    stranger.group.setProcessGroup(stranger.group.pid);
    machine.task.blockedSignals.add(SIGTTOU);
    expect(machine.call("ioctl", 0, TIOCSPGRP, group(stranger))).toBe("EPERM");
    expect(machine.call("ioctl", 0, TIOCSPGRP, new Uint8Array(Int32Array.of(30000).buffer))).toBe("ESRCH");
  });

  it.each([
    [TCGETS, BUFFER, 0],
    [TCGETS, 0x600000, "EFAULT"],
    [TIOCGPGRP, BUFFER, 0],
    [TIOCGSID, BUFFER, 0],
    [FIONREAD, BUFFER, 0],
    [TIOCSCTTY, 0, 0],
    [0x1234, BUFFER, "ENOTTY"],
  ])("ioctl %i gives %s", (command, argument, result) => {
    expect(machine.call("ioctl", 0, command, argument)).toBe(result);
  });

  it("cannot be taken by a session that has a terminal, nor by a member", () => {
    expect(machine.callAs(background, "ioctl", 0, TIOCSCTTY, 0)).toBe("EPERM");
  });

  it("is gone from the session when its leader gives it up", () => {
    tty.foreground = background.group.pid;
    machine.task.blockedSignals.add(SIGTTOU);
    expect(machine.call("ioctl", 0, TIOCNOTTY, 0)).toBe(0);
    expect(got(background, SIGHUP) && got(background, SIGCONT)).toBe(true);
    expect(background.group.tty).toBe(null);
    expect(machine.call("open", "/dev/tty", 2, 0)).toBe("ENXIO");
  });

  it("tells the foreground job when the session leader ends", () => {
    tty.foreground = background.group.pid;
    sessionLeaderEnded(machine.task.group);
    expect(got(background, SIGHUP)).toBe(true);
    expect(tty.session).toBe(null);
  });

  it("hangs up when its input ends for good", () => {
    expect(machine.call("read", 0, BUFFER, 1)).toBe("blocked");
    machine.kernel.console.inputEnd();
    expect(machine.again()).toBe(0);
    expect(machine.call("write", 1, "x", 1)).toBe("EIO");
    expect(got(machine.task, SIGHUP)).toBe(true);
  });
});

describe("streams that are no terminal", () => {
  const piped = (kind: "pipe" | "file" | "null") => {
    world = new FakeWorld([kind, kind, kind]);
    machine = new FileMachine({}, world);
    for (const file of machine.kernel.console.openStreams()) machine.task.files.install(file, 0);
  };

  it.each([
    ["pipe", 0o10000],
    ["file", 0o100000],
    ["null", 0o20000],
  ] as const)("a %s is no tty and has the type of one", (kind, type) => {
    piped(kind);
    expect(machine.call("ioctl", 0, TCGETS, BUFFER)).toBe("ENOTTY");
    machine.call("fstat", 1, BUFFER);
    expect(machine.word(BUFFER + 24) & 0o170000).toBe(type);
  });

  it("input blocks until there is some, and then until its end", () => {
    piped("pipe");
    expect(machine.call("read", 0, BUFFER, 10)).toBe("blocked");
    type("abc");
    expect(machine.again()).toBe(3);
    expect(machine.call("read", 0, BUFFER, 10)).toBe("blocked");
    machine.kernel.console.inputEnd();
    expect(machine.again()).toBe(0);
  });

  it("pushes back when the guest does not read", () => {
    piped("pipe");
    expect(type("x".repeat(70_000))).toBe(65_536);
    expect(type("x")).toBe(0);
  });

  it("a broken pipe outside is a broken pipe inside", () => {
    piped("pipe");
    world.writeResult = -32;
    expect(machine.call("write", 1, "x", 1)).toBe("EPIPE");
    expect(got(machine.task, 13)).toBe(true);
    world.writeResult = -28;
    expect(machine.call("write", 1, "x", 1)).toBe("ENOSPC");
  });

  it("can be opened again by name", () => {
    piped("pipe");
    expect(machine.call("open", "/dev/stdout", 1, 0)).toBe(3);
    machine.call("write", 3, "again", 5);
    expect(world.takeOutput()).toBe("again");
  });
});
