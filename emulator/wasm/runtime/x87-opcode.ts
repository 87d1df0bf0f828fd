/** FOP: the low 11 bits of an x87 instruction's two opcode bytes (Intel SDM volume 1, section 8.1.9). */
import type { PhysicalMemory } from "../../physical-memory.ts";
import type { GuestMemory } from "../guest-memory.ts";
import { AT_RIP } from "../layout.ts";

const LONGEST_INSTRUCTION = 15;

/** Reads the opcode of the instruction at RIP, which is being executed: behind its prefixes. */
export function opcodeReader({ view, u8 }: PhysicalMemory, guest: GuestMemory): () => number {
  const byteAt = (address: bigint): number => {
    const host = guest.read(Number(address & 0xffffffffn) | 0, Number(address >> 32n) | 0, 1);
    return host < 0 ? -1 : u8[host]!;
  };
  return () => {
    const rip = view.getBigUint64(AT_RIP, true);
    for (let i = 0n; i < LONGEST_INSTRUCTION; i++) {
      const byte = byteAt(rip + i);
      if (byte < 0) return 0;
      if ((byte & 0xf8) === 0xd8) return ((byte & 7) << 8) | Math.max(0, byteAt(rip + i + 1n));
    }
    return 0;
  };
}
