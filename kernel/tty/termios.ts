/** Terminal settings as the line discipline uses them (termios(3)). */
import {
  B38400,
  CREAD,
  CS8,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  HUPCL,
  ICANON,
  ICRNL,
  IEXTEN,
  ISIG,
  IUTF8,
  IXON,
  NCCS,
  ONLCR,
  OPOST,
} from "../../abi/termios.ts";

export interface Termios {
  input: number;
  output: number;
  control: number;
  local: number;
  line: number;
  /** c_cc, NCCS bytes. */
  characters: Uint8Array;
}

const control = (letter: string): number => letter.charCodeAt(0) & 0x1f;

/** What Linux sets up for a new terminal, with UTF-8 aware erasing. */
export function defaultTermios(): Termios {
  const characters = new Uint8Array(NCCS);
  characters.set([control("C"), control("\\"), 0x7f, control("U"), control("D"), 0, 1, 0]);
  characters.set(
    [control("Q"), control("S"), control("Z"), 0, control("R"), control("O"), control("W"), control("V"), 0],
    8,
  );
  return {
    input: ICRNL | IXON | IUTF8,
    output: OPOST | ONLCR,
    control: B38400 | CS8 | CREAD | HUPCL,
    local: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    line: 0,
    characters,
  };
}
