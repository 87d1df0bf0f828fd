/** What the page and the worker that holds the machine say to each other. Bytes are copied on the way. */
import type { MachineResult } from "../machine/index.ts";

/** Starts the worker's one machine. */
export interface RunRequest {
  readonly kind: "run";
  /** Absolute path in the guest; of several, the first that exists is run. */
  readonly program: string | readonly string[];
  /** Arguments, the program's own name first. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What is mounted at `/`: a tar archive, not compressed. */
  readonly root: Uint8Array;
  /** A terminal of this size for all three streams; without it input is empty and output goes through pipes. */
  readonly terminal?: TerminalSize;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export type ToWorker =
  | RunRequest
  | { readonly kind: "input"; readonly bytes: Uint8Array }
  | { readonly kind: "resize"; readonly size: TerminalSize }
  /** So many bytes of output are on the screen: a guest that writes to a terminal is not let far ahead of it. */
  | { readonly kind: "shown"; readonly count: number };

export type FromWorker =
  /** What the guest wrote to standard output or error. */
  | { readonly kind: "output"; readonly stream: 1 | 2; readonly bytes: Uint8Array }
  /** The program has ended, so many milliseconds after the machine was ready to start it. */
  | { readonly kind: "ended"; readonly result: MachineResult; readonly milliseconds: number }
  /** The machine could not be made or its program not be started. */
  | { readonly kind: "refused"; readonly message: string };
