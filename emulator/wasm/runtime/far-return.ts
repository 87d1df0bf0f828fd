/** IRET and far RET at CPL 3 (Intel SDM volume 2): to the user's own segments only, everything else is #GP(selector). */
import { VECTOR_GP } from "../../engine.ts";
import { PAGE_SIZE, type PhysicalMemory } from "../../physical-memory.ts";
import { RFLAGS, RIP, RSP } from "../../registers.ts";
import { STATUS } from "../flags.ts";
import type { GuestMemory } from "../guest-memory.ts";
import { AT_SCRATCH, AT_STOP_ERROR, AT_STOP_VECTOR } from "../layout.ts";

const DONE = 0;
const FAULT = 1;
const USER_CS = 0x33n;
const USER_SS = 0x2bn;
/** TF, DF, NT, AC and ID: what IRET at CPL 3 may change besides the status flags. */
const USER_FLAGS = 0x244500n;
/** Those of them that are in the low half of the register. */
const USER_FLAGS_16 = 0x4500n;

/** Notes #GP. */
export function generalProtection({ u32 }: PhysicalMemory, selector: number): number {
  u32[AT_STOP_VECTOR / 4] = VECTOR_GP;
  u32[AT_STOP_ERROR / 4] = selector & 0xfffc;
  return FAULT;
}

const isCanonical = (address: bigint): boolean => BigInt.asIntN(48, address) === BigInt.asIntN(64, address);

export function farReturns(
  memory: PhysicalMemory,
  guest: GuestMemory,
): { iret: (width: number) => number; retf: (width: number, extra: number) => number } {
  const u64 = new BigUint64Array(memory.buffer, 0, PAGE_SIZE / 8);
  const { view } = memory;

  /** Takes items off the stack without moving RSP; undefined: a fault is noted. */
  const peek = (count: number, width: number): bigint[] | undefined => {
    const items: bigint[] = [];
    for (let i = 0; i < count; i++) {
      const at = BigInt.asUintN(64, u64[RSP]! + BigInt(i * width));
      const host = guest.read(Number(at & 0xffffffffn) | 0, Number(at >> 32n) | 0, width);
      if (host < 0) return undefined;
      if (width === 8) items.push(view.getBigUint64(host, true));
      else items.push(BigInt(width === 4 ? view.getUint32(host, true) : view.getUint16(host, true)));
    }
    return items;
  };
  const wrongTarget = (rip: bigint, cs: bigint): number | undefined => {
    if ((cs & 0xffffn) !== USER_CS) return generalProtection(memory, Number(cs & 0xffffn));
    return isCanonical(rip) ? undefined : generalProtection(memory, 0);
  };

  return {
    /** In 64-bit mode IRET takes five items whatever their width. Status flags come back at AT_SCRATCH. */
    iret(width) {
      const items = peek(5, width);
      if (!items) return FAULT;
      const [rip, cs, flags, rsp, ss] = items as [bigint, bigint, bigint, bigint, bigint];
      const wrong = wrongTarget(rip, cs);
      if (wrong !== undefined) return wrong;
      if ((ss & 0xffffn) !== USER_SS) return generalProtection(memory, Number(ss & 0xffffn));
      const changed = width === 2 ? USER_FLAGS_16 : USER_FLAGS;
      u64[RIP] = rip;
      u64[RSP] = rsp;
      u64[RFLAGS] = (u64[RFLAGS]! & ~changed) | (flags & changed);
      u64[AT_SCRATCH / 8] = flags & BigInt(STATUS);
      return DONE;
    },

    /** @param extra bytes to take off the stack behind the two items */
    retf(width, extra) {
      const items = peek(2, width);
      if (!items) return FAULT;
      const [rip, cs] = items as [bigint, bigint];
      const wrong = wrongTarget(rip, cs);
      if (wrong !== undefined) return wrong;
      u64[RIP] = rip;
      u64[RSP] = BigInt.asUintN(64, u64[RSP]! + BigInt(2 * width + extra));
      return DONE;
    },
  };
}
