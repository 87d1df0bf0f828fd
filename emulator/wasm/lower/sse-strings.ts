/** PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM: by helper. */
import { Memory, V } from "../emit/opcodes.ts";
import type { Operand } from "../decode.ts";
import { AT_SCRATCH } from "../layout.ts";
import { RAX, RCX, RDX } from "../../registers.ts";
import { AT_FLAGS, AT_INDEX, AT_LENGTHS, AT_MASK, PACKED_OPERATIONS } from "../runtime/packed.ts";
import { implied, type Lowering, type LoweringRows } from "./lowering.ts";
import { immediateOf, pushVector } from "./sse.ts";

function compareStrings(name: (typeof PACKED_OPERATIONS)[number]): Lowering {
  return (g) => {
    const { e } = g;
    const [a, b] = g.instruction.operands as [Operand, Operand];
    const value = g.tv();
    const length = g.t64();
    [a, b].forEach((operand, i) => {
      pushVector(g, operand, 16, false);
      e.set(value).storeLocalAt(V.store, AT_SCRATCH + i * 16, value);
    });
    if (name.startsWith("pcmpe")) {
      const size = /64/.test(g.instruction.mnemonic) ? 8 : 4;
      [RAX, RDX].forEach((register, i) => {
        g.pushRegister(implied(register, size));
        g.signExtend(size);
        e.set(length).storeLocalAt(Memory.i64_store, AT_LENGTHS + i * 8, length);
      });
    }
    e.i32(PACKED_OPERATIONS.indexOf(name)).i32(immediateOf(g));
    e.call(g.runtime("sse"));
    if (name.endsWith("i")) e.loadAt(Memory.i64_load32_u, AT_INDEX).set(g.gprOut(RCX));
    else e.loadAt(V.load, AT_MASK).set(g.xmmOut(0));
    e.loadAt(Memory.i32_load, AT_FLAGS);
    g.popFlags();
  };
}

export const SSE_STRINGS: LoweringRows = PACKED_OPERATIONS.flatMap((name) => [
  [name, compareStrings(name)] as const,
  [`${name}64`, compareStrings(name)] as const,
]);
