/** What the conformance runner and its worker processes say to each other; each message is one of these objects. */
import type { Bind, RootSource } from "../options.ts";
import type { ProgramOutput } from "../conformance/result.ts";
import type { CpuModel, EngineName } from "./engines.ts";

/** What all machines of a run have in common. */
export interface MachineSettings {
  readonly root: RootSource;
  readonly engine?: EngineName;
  readonly cpu?: CpuModel;
  readonly memory?: number;
  readonly maxTasks?: number;
  /** Default: virtual, so that nothing depends on how busy the computer is. */
  readonly clock?: "host" | "virtual";
  /** Of the guest's random numbers. Default: 1. */
  readonly seed?: number;
}

/** One program for one machine. */
export interface GuestJob {
  /** Absolute path in the guest. */
  readonly program: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly binds: readonly Bind[];
  readonly timeoutMs: number;
}

export type ToWorker =
  { readonly kind: "settings"; readonly settings: MachineSettings } | { readonly kind: "job"; readonly job: GuestJob };

export type FromWorker =
  | { readonly kind: "output"; readonly output: ProgramOutput; readonly residentBytes: number }
  /** No machine can be made: `isUsage` if that is because of what the user asked for. */
  | { readonly kind: "refused"; readonly message: string; readonly isUsage: boolean };
