import { array, i64, struct, u16, u32, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

export const sysinfo = struct(
  "sysinfo",
  {
    uptime: i64,
    loads: array(u64, 3),
    totalram: u64,
    freeram: u64,
    sharedram: u64,
    bufferram: u64,
    totalswap: u64,
    freeswap: u64,
    procs: u16,
    pad: u16,
    totalhigh: u64,
    freehigh: u64,
    mem_unit: u32,
  },
  { size: 112, page: "sysinfo(2)" },
);
export type sysinfo = TypeOf<typeof sysinfo>;
/** loads are fixed-point numbers with this many fraction bits. */
export const SI_LOAD_SHIFT = 16;
