import { flagSet } from "./flags.ts";
import { bytes, shown, struct, u16, u32, u8 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

// termios(3), with the kernel's struct: 19 control characters and no speed fields.
export const NCCS = 19;
export const IGNBRK = 1;
export const BRKINT = 2;
export const IGNPAR = 4;
export const PARMRK = 0o10;
export const INPCK = 0o20;
export const ISTRIP = 0o40;
export const INLCR = 0o100;
export const IGNCR = 0o200;
export const ICRNL = 0o400;
export const IUCLC = 0o1000;
export const IXON = 0o2000;
export const IXANY = 0o4000;
export const IXOFF = 0o10000;
export const IMAXBEL = 0o20000;
export const IUTF8 = 0o40000;
export const OPOST = 1;
export const OLCUC = 2;
export const ONLCR = 4;
export const OCRNL = 0o10;
export const ONOCR = 0o20;
export const ONLRET = 0o40;
export const OFILL = 0o100;
export const OFDEL = 0o200;
export const TABDLY = 0o14000;
export const TAB0 = 0;
export const TAB3 = 0o14000;
export const CBAUD = 0o10017;
export const CSIZE = 0o60;
export const CS5 = 0;
export const CS6 = 0o20;
export const CS7 = 0o40;
export const CS8 = 0o60;
export const CSTOPB = 0o100;
export const CREAD = 0o200;
export const PARENB = 0o400;
export const PARODD = 0o1000;
export const HUPCL = 0o2000;
export const CLOCAL = 0o4000;
export const CRTSCTS = 0o20000000000;
export const B0 = 0;
export const B9600 = 0o15;
export const B19200 = 0o16;
export const B38400 = 0o17;
export const B57600 = 0o10001;
export const B115200 = 0o10002;
export const ISIG = 1;
export const ICANON = 2;
export const XCASE = 4;
export const ECHO = 0o10;
export const ECHOE = 0o20;
export const ECHOK = 0o40;
export const ECHONL = 0o100;
export const NOFLSH = 0o200;
export const TOSTOP = 0o400;
export const ECHOCTL = 0o1000;
export const ECHOPRT = 0o2000;
export const ECHOKE = 0o4000;
export const FLUSHO = 0o10000;
export const PENDIN = 0o40000;
export const IEXTEN = 0o100000;
export const EXTPROC = 0o200000;
/** Indices of c_cc. */
export const VINTR = 0;
export const VQUIT = 1;
export const VERASE = 2;
export const VKILL = 3;
export const VEOF = 4;
export const VTIME = 5;
export const VMIN = 6;
export const VSWTC = 7;
export const VSTART = 8;
export const VSTOP = 9;
export const VSUSP = 10;
export const VEOL = 11;
export const VREPRINT = 12;
export const VDISCARD = 13;
export const VWERASE = 14;
export const VLNEXT = 15;
export const VEOL2 = 16;

export const inputModes = flagSet("input modes", {
  IGNBRK,
  BRKINT,
  IGNPAR,
  PARMRK,
  INPCK,
  ISTRIP,
  INLCR,
  IGNCR,
  ICRNL,
  IUCLC,
  IXON,
  IXANY,
  IXOFF,
  IMAXBEL,
  IUTF8,
});
export const outputModes = flagSet("output modes", { OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET, OFILL, OFDEL });
export const controlModes = flagSet(
  "control modes",
  { CSTOPB, CREAD, PARENB, PARODD, HUPCL, CLOCAL, CRTSCTS },
  {
    fields: [
      { mask: CBAUD, values: { B0, B9600, B19200, B38400, B57600, B115200 } },
      { mask: CSIZE, values: { CS5, CS6, CS7, CS8 } },
    ],
  },
);
export const localModes = flagSet("local modes", {
  ISIG,
  ICANON,
  XCASE,
  ECHO,
  ECHOE,
  ECHOK,
  ECHONL,
  NOFLSH,
  TOSTOP,
  ECHOCTL,
  ECHOPRT,
  ECHOKE,
  FLUSHO,
  PENDIN,
  IEXTEN,
  EXTPROC,
});

const modes = {
  c_iflag: shown(u32, inputModes),
  c_oflag: shown(u32, outputModes),
  c_cflag: shown(u32, controlModes),
  c_lflag: shown(u32, localModes),
  c_line: u8,
  c_cc: bytes(19),
};
/** TCGETS, TCSETS. */
export const termios = struct("termios", modes, { size: 36, page: "ioctl_tty(2)" });
export type termios = TypeOf<typeof termios>;
/** TCGETS2, TCSETS2: with numeric speeds. */
export const termios2 = struct(
  "termios2",
  { ...modes, c_ispeed: u32, c_ospeed: u32 },
  { size: 44, page: "ioctl_tty(2)" },
);
/** TIOCGWINSZ, TIOCSWINSZ. */
export const winsize = struct(
  "winsize",
  { ws_row: u16, ws_col: u16, ws_xpixel: u16, ws_ypixel: u16 },
  { size: 8, page: "ioctl_tty(2)" },
);
export type winsize = TypeOf<typeof winsize>;
