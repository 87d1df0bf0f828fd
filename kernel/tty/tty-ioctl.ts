/** ioctl_tty(2). */
import { EINVAL, EIO, ENOTTY, EPERM, ESRCH } from "../../abi/errno.ts";
import {
  FIONREAD,
  TCFLSH,
  TCGETS,
  TCGETS2,
  TCIFLUSH,
  TCIOFLUSH,
  TCOFLUSH,
  TCOOFF,
  TCOON,
  TCIOFF,
  TCION,
  TCSBRK,
  TCSBRKP,
  TCSETS,
  TCSETS2,
  TCSETSF,
  TCSETSF2,
  TCSETSW,
  TCSETSW2,
  TCXONC,
  TIOCEXCL,
  TIOCGETD,
  TIOCGEXCL,
  TIOCGPGRP,
  TIOCGSID,
  TIOCGWINSZ,
  TIOCNOTTY,
  TIOCNXCL,
  TIOCOUTQ,
  TIOCSCTTY,
  TIOCSPGRP,
  TIOCSTI,
  TIOCSWINSZ,
} from "../../abi/ioctl.ts";
import { SIGTTOU } from "../../abi/signal.ts";
import { termios, termios2, winsize } from "../../abi/termios.ts";
import { CAP_SYS_ADMIN } from "../../abi/capability.ts";
import { copyToUser, readBytes, readI32, readU8, writeU32 } from "../mm/user-copy.ts";
import { capable } from "../task/capable.ts";
import type { Task } from "../task/task.ts";
import { checkForeground } from "./job-control.ts";
import type { Tty } from "./tty.ts";

const SPEED = 38400;

/** @throws ENOTTY for what no terminal knows */
export function ttyIoctl(task: Task, tty: Tty, command: number, argument: number): number {
  const { memory } = task;
  if (tty.hungUp && command !== FIONREAD) return -EIO.number;
  switch (command) {
    case TCGETS:
      copyToUser(memory, argument, termios.bytes(modesOf(tty)));
      return 0;
    case TCGETS2:
      copyToUser(memory, argument, termios2.bytes({ ...modesOf(tty), c_ispeed: SPEED, c_ospeed: SPEED }));
      return 0;
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
      return setModes(task, tty, argument, termios.size, command === TCSETSF);
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
      return setModes(task, tty, argument, termios2.size, command === TCSETSF2);
    case TIOCGWINSZ: {
      const { rows, columns, xPixels, yPixels } = tty.size;
      const size = { ws_row: rows, ws_col: columns, ws_xpixel: xPixels, ws_ypixel: yPixels };
      copyToUser(memory, argument, winsize.bytes(size));
      return 0;
    }
    case TIOCSWINSZ: {
      const size = winsize.decode(viewOf(readBytes(memory, argument, winsize.size)));
      tty.resize({ rows: size.ws_row, columns: size.ws_col, xPixels: size.ws_xpixel, yPixels: size.ws_ypixel });
      return 0;
    }
    case TIOCGPGRP:
      requireOwn(task, tty);
      writeU32(memory, argument, tty.foreground?.numberIn(task.pid.namespace) ?? 0);
      return 0;
    case TIOCSPGRP:
      return setForeground(task, tty, argument);
    case TIOCGSID:
      requireOwn(task, tty);
      if (!tty.session) throw ENOTTY;
      writeU32(memory, argument, tty.session.numberIn(task.pid.namespace));
      return 0;
    case TIOCSCTTY:
      return takeControl(task, tty, argument);
    case TIOCNOTTY:
      requireOwn(task, tty);
      if (task.group.isSessionLeader) tty.abandon();
      else task.group.tty = null;
      return 0;
    case FIONREAD:
      writeU32(memory, argument, tty.discipline.available);
      return 0;
    case TIOCOUTQ:
    case TIOCGETD:
    case TIOCGEXCL:
      writeU32(memory, argument, 0);
      return 0;
    case TCFLSH:
      if (argument !== TCIFLUSH && argument !== TCOFLUSH && argument !== TCIOFLUSH) throw EINVAL;
      return changed(task, tty, () => {
        if (argument !== TCOFLUSH) tty.discipline.flush();
      });
    case TCXONC:
      if (argument === TCOOFF || argument === TCOON) tty.setStopped(argument === TCOOFF);
      else if (argument !== TCIOFF && argument !== TCION) throw EINVAL;
      return 0;
    case TIOCSTI:
      if (!capable(task, CAP_SYS_ADMIN) && task.group.tty !== tty) throw EPERM;
      tty.input(Uint8Array.of(readU8(memory, argument)));
      return 0;
    case TCSBRK:
    case TCSBRKP:
    case TIOCEXCL:
    case TIOCNXCL:
      return 0;
    default:
      throw ENOTTY;
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function modesOf(tty: Tty) {
  const { input, output, control, local, line, characters } = tty.termios;
  return { c_iflag: input, c_oflag: output, c_cflag: control, c_lflag: local, c_line: line, c_cc: characters };
}

/** A background job must not change the terminal under the foreground's hands. */
function changed(task: Task, tty: Tty, change: () => void): number {
  const stop = checkForeground(task, tty, SIGTTOU);
  if (stop === 0) change();
  return stop;
}

function setModes(task: Task, tty: Tty, address: number, size: number, flush: boolean): number {
  const modes = termios.decode(viewOf(readBytes(task.memory, address, size)));
  return changed(task, tty, () => {
    const old = tty.termios.local;
    if (flush) tty.discipline.flush();
    tty.termios = {
      input: modes.c_iflag,
      output: modes.c_oflag,
      control: modes.c_cflag,
      local: modes.c_lflag,
      line: modes.c_line,
      characters: modes.c_cc,
    };
    tty.discipline.modeChanged(old);
    // Readers may be satisfied by other rules now.
    tty.readers.wakeAll();
  });
}

/** The terminal must be the caller's controlling one. */
function requireOwn(task: Task, tty: Tty): void {
  if (task.group.tty !== tty) throw ENOTTY;
}

function setForeground(task: Task, tty: Tty, address: number): number {
  const stop = checkForeground(task, tty, SIGTTOU);
  if (stop !== 0) return stop;
  const { group } = task;
  if (group.tty !== tty || tty.session !== group.session) throw ENOTTY;
  const number = readI32(task.memory, address);
  if (number < 0) throw EINVAL;
  const pid = task.pid.namespace.find(number);
  if (!pid || pid.processGroup.size === 0) throw ESRCH;
  for (const member of pid.processGroup) if (member.session !== group.session) throw EPERM;
  tty.foreground = pid;
  return 0;
}

function takeControl(task: Task, tty: Tty, steal: number): number {
  const { group } = task;
  if (group.isSessionLeader && group.tty === tty && tty.session === group.session) return 0;
  if (!group.isSessionLeader || group.tty) throw EPERM;
  if (tty.session) {
    if (steal !== 1 || !capable(task, CAP_SYS_ADMIN)) throw EPERM;
    for (const member of tty.session.session) if (member.tty === tty) member.tty = null;
  }
  tty.control(group);
  return 0;
}
