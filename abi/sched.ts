import { enumSet, flagSet } from "./flags.ts";
import { i32, pad, shown, struct, u32, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

// sched(7)
export const SCHED_NORMAL = 0;
export const SCHED_FIFO = 1;
export const SCHED_RR = 2;
export const SCHED_BATCH = 3;
export const SCHED_IDLE = 5;
export const SCHED_DEADLINE = 6;
export const SCHED_EXT = 7;
export const SCHED_OTHER = SCHED_NORMAL;
export const SCHED_RESET_ON_FORK = 0x40000000;
export const schedPolicies = enumSet("scheduling policies", {
  SCHED_OTHER,
  ...{ SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE, SCHED_EXT },
});
export const SCHED_FLAG_RESET_ON_FORK = 1;
export const SCHED_FLAG_RECLAIM = 2;
export const SCHED_FLAG_DL_OVERRUN = 4;
export const SCHED_FLAG_KEEP_POLICY = 8;
export const SCHED_FLAG_KEEP_PARAMS = 0x10;
export const SCHED_FLAG_UTIL_CLAMP_MIN = 0x20;
export const SCHED_FLAG_UTIL_CLAMP_MAX = 0x40;
export const schedAttrFlags = flagSet("sched_attr flags", {
  SCHED_FLAG_RESET_ON_FORK,
  SCHED_FLAG_RECLAIM,
  SCHED_FLAG_DL_OVERRUN,
  SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_UTIL_CLAMP_MIN,
  SCHED_FLAG_UTIL_CLAMP_MAX,
});

export const sched_param = struct("sched_param", { sched_priority: i32 }, { size: 4, page: "sched_setparam(2)" });
export const sched_attr = struct(
  "sched_attr",
  {
    size: u32,
    sched_policy: shown(u32, schedPolicies),
    sched_flags: shown(u64, schedAttrFlags),
    sched_nice: i32,
    sched_priority: u32,
    sched_runtime: u64,
    sched_deadline: u64,
    sched_period: u64,
    sched_util_min: u32,
    sched_util_max: u32,
  },
  { size: 56, page: "sched_setattr(2)" },
);
export type sched_attr = TypeOf<typeof sched_attr>;
/** The first published size, without the utilisation clamps. */
export const SCHED_ATTR_SIZE_VER0 = 48;

// rseq(2)
export const RSEQ_FLAG_UNREGISTER = 1;
export const rseqFlags = flagSet("rseq flags", { RSEQ_FLAG_UNREGISTER });
export const rseq = struct(
  "rseq",
  {
    cpu_id_start: u32,
    cpu_id: u32,
    rseq_cs: shown(u64, "address"),
    flags: shown(u32, "hex"),
    node_id: u32,
    mm_cid: u32,
    __pad: pad(4),
  },
  { size: 32, align: 32, page: "rseq(2)" },
);
export type rseq = TypeOf<typeof rseq>;
export const rseq_cs = struct(
  "rseq_cs",
  {
    version: u32,
    flags: shown(u32, "hex"),
    start_ip: shown(u64, "address"),
    post_commit_offset: u64,
    abort_ip: shown(u64, "address"),
  },
  { size: 32, align: 32, page: "rseq(2)" },
);

// membarrier(2)
export const MEMBARRIER_CMD_QUERY = 0;
export const MEMBARRIER_CMD_GLOBAL = 1;
export const MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2;
export const MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4;
export const MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8;
export const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 0x10;
export const MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 0x20;
export const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 0x40;
export const MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 0x80;
export const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 0x100;
export const MEMBARRIER_CMD_GET_REGISTRATIONS = 0x200;
export const membarrierCommands = enumSet(
  "membarrier commands",
  {
    MEMBARRIER_CMD_QUERY,
    MEMBARRIER_CMD_GLOBAL,
    MEMBARRIER_CMD_GLOBAL_EXPEDITED,
    MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED,
    MEMBARRIER_CMD_PRIVATE_EXPEDITED,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
    MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE,
    MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ,
    MEMBARRIER_CMD_GET_REGISTRATIONS,
  },
  { unknown: "MEMBARRIER_CMD_???" },
);

// set_mempolicy(2)
export const MPOL_DEFAULT = 0;
export const MPOL_PREFERRED = 1;
export const MPOL_BIND = 2;
export const MPOL_INTERLEAVE = 3;
export const MPOL_LOCAL = 4;
export const MPOL_PREFERRED_MANY = 5;
export const MPOL_WEIGHTED_INTERLEAVE = 6;
export const memoryPolicies = enumSet(
  "memory policies",
  {
    MPOL_DEFAULT,
    MPOL_PREFERRED,
    MPOL_BIND,
    MPOL_INTERLEAVE,
    MPOL_LOCAL,
    MPOL_PREFERRED_MANY,
    MPOL_WEIGHTED_INTERLEAVE,
  },
  { unknown: "MPOL_???" },
);
export const MPOL_F_NODE = 1;
export const MPOL_F_ADDR = 2;
export const MPOL_F_MEMS_ALLOWED = 4;
export const getMempolicyFlags = flagSet("get_mempolicy flags", { MPOL_F_NODE, MPOL_F_ADDR, MPOL_F_MEMS_ALLOWED });
