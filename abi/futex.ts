import { enumSet, flagSet } from "./flags.ts";
import { pad, shown, struct, u32, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

// futex(2)
export const FUTEX_WAIT = 0;
export const FUTEX_WAKE = 1;
export const FUTEX_FD = 2;
export const FUTEX_REQUEUE = 3;
export const FUTEX_CMP_REQUEUE = 4;
export const FUTEX_WAKE_OP = 5;
export const FUTEX_LOCK_PI = 6;
export const FUTEX_UNLOCK_PI = 7;
export const FUTEX_TRYLOCK_PI = 8;
export const FUTEX_WAIT_BITSET = 9;
export const FUTEX_WAKE_BITSET = 10;
export const FUTEX_WAIT_REQUEUE_PI = 11;
export const FUTEX_CMP_REQUEUE_PI = 12;
export const FUTEX_LOCK_PI2 = 13;
export const FUTEX_PRIVATE_FLAG = 128;
export const FUTEX_CLOCK_REALTIME = 256;
/** What is left of the operation word without its two flags. */
export const FUTEX_CMD_MASK = ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
const operations: Record<string, number> = {
  FUTEX_WAIT,
  FUTEX_WAKE,
  FUTEX_FD,
  FUTEX_REQUEUE,
  FUTEX_CMP_REQUEUE,
  FUTEX_WAKE_OP,
  FUTEX_LOCK_PI,
  FUTEX_UNLOCK_PI,
  FUTEX_TRYLOCK_PI,
  FUTEX_WAIT_BITSET,
  FUTEX_WAKE_BITSET,
  FUTEX_WAIT_REQUEUE_PI,
  FUTEX_CMP_REQUEUE_PI,
  FUTEX_LOCK_PI2,
};
for (const [name, operation] of Object.entries(operations))
  operations[`${name}_PRIVATE`] = operation | FUTEX_PRIVATE_FLAG;
/** The operation word; FUTEX_PRIVATE_FLAG is part of the name, as in <linux/futex.h>: FUTEX_WAIT_PRIVATE. */
export const futexOperations = flagSet(
  "futex operation",
  { FUTEX_CLOCK_REALTIME },
  { fields: [{ mask: 0xff, values: operations }] },
);
export const FUTEX_BITSET_MATCH_ANY = 0xffffffff;
export const futexBitsets = flagSet("futex bit sets", { FUTEX_BITSET_MATCH_ANY });

// FUTEX_WAKE_OP's val3
export const FUTEX_OP_SET = 0;
export const FUTEX_OP_ADD = 1;
export const FUTEX_OP_OR = 2;
export const FUTEX_OP_ANDN = 3;
export const FUTEX_OP_XOR = 4;
export const FUTEX_OP_OPARG_SHIFT = 8;
export const FUTEX_OP_CMP_EQ = 0;
export const FUTEX_OP_CMP_NE = 1;
export const FUTEX_OP_CMP_LT = 2;
export const FUTEX_OP_CMP_LE = 3;
export const FUTEX_OP_CMP_GT = 4;
export const FUTEX_OP_CMP_GE = 5;
export const futexWakeOperations = enumSet("FUTEX_WAKE_OP operations", {
  FUTEX_OP_SET,
  FUTEX_OP_ADD,
  FUTEX_OP_OR,
  FUTEX_OP_ANDN,
  FUTEX_OP_XOR,
});
export const futexWakeComparisons = enumSet("FUTEX_WAKE_OP comparisons", {
  FUTEX_OP_CMP_EQ,
  FUTEX_OP_CMP_NE,
  FUTEX_OP_CMP_LT,
  FUTEX_OP_CMP_LE,
  FUTEX_OP_CMP_GT,
  FUTEX_OP_CMP_GE,
});

/** Bits of a futex word that the kernel itself reads: robust and priority-inheriting locks. */
export const FUTEX_WAITERS = 0x80000000;
export const FUTEX_OWNER_DIED = 0x40000000;
export const FUTEX_TID_MASK = 0x3fffffff;
/** Longest robust list the kernel walks at exit. */
export const ROBUST_LIST_LIMIT = 2048;

export const robust_list_head = struct(
  "robust_list_head",
  { list: shown(u64, "address"), futex_offset: u64, list_op_pending: shown(u64, "address") },
  { size: 24, page: "set_robust_list(2)" },
);
export type robust_list_head = TypeOf<typeof robust_list_head>;

// futex_waitv(2), futex_wait(2) and relatives
export const FUTEX2_SIZE_U8 = 0;
export const FUTEX2_SIZE_U16 = 1;
export const FUTEX2_SIZE_U32 = 2;
export const FUTEX2_SIZE_U64 = 3;
export const FUTEX2_NUMA = 4;
export const FUTEX2_MPOL = 8;
export const FUTEX2_PRIVATE = 0x80;
export const FUTEX_32 = 2;
export const FUTEX2_SIZE_MASK = 3;
export const futex2Flags = flagSet(
  "futex2 flags",
  { FUTEX2_NUMA, FUTEX2_MPOL, FUTEX2_PRIVATE },
  {
    fields: [{ mask: FUTEX2_SIZE_MASK, values: { FUTEX2_SIZE_U8, FUTEX2_SIZE_U16, FUTEX2_SIZE_U32, FUTEX2_SIZE_U64 } }],
  },
);
export const FUTEX_WAITV_MAX = 128;
export const futex_waitv = struct(
  "futex_waitv",
  { val: shown(u64, "hex"), uaddr: shown(u64, "address"), flags: shown(u32, futex2Flags), __reserved: pad(4) },
  { size: 24, page: "futex_waitv(2)" },
);
export type futex_waitv = TypeOf<typeof futex_waitv>;
