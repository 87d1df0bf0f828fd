/** Limits that /proc/sys reports, from where they are kept. */
import { MMAP_MIN_ADDRESS } from "../../mm/layout.ts";
import { NR_OPEN } from "../../vfs/fd-table.ts";
import { PIPE_MAX_SIZE } from "../pipe.ts";

export const INITIAL_LIMITS = {
  maxMapCount: 65530,
  mmapMinAddress: MMAP_MIN_ADDRESS,
  fileMax: "9223372036854775807",
  nrOpen: NR_OPEN,
  pipeMaxSize: PIPE_MAX_SIZE,
} as const;
