/** VEX instructions that are an SSE instruction with a destination of its own: the SSE lowering does the work. */
import { V, W } from "../emit/opcodes.ts";
import type { Context } from "../context.ts";
import type { Operand } from "../decode.ts";
import {
  clearUpper,
  isYmm,
  lowerAs,
  readHalves,
  sameOperands,
  threeOperands,
  twoOperands,
  widening,
  writeHalves,
  type LoweringTable,
} from "./avx.ts";
import type { Lowering, LoweringRows } from "./lowering.ts";

/** Destination, first source, second source. */
const THREE_OPERANDS = `
  addps addpd addss addsd subps subpd subss subsd mulps mulpd mulss mulsd divps divpd divss divsd
  minps minpd minss minsd maxps maxpd maxss maxsd sqrtss sqrtsd rcpss rsqrtss roundss roundsd
  andps andpd andnps andnpd orps orpd xorps xorpd haddps haddpd hsubps hsubpd addsubps addsubpd
  unpcklps unpcklpd unpckhps unpckhpd shufps shufpd blendps blendpd dpps dppd insertps
  cvtss2sd cvtsd2ss cvtsi2ss cvtsi2sd
  paddb paddw paddd paddq psubb psubw psubd psubq paddsb paddsw paddusb paddusw psubsb psubsw psubusb psubusw
  pmullw pmulld pmulhw pmulhuw pmuludq pmuldq pmaddwd pmaddubsw pmulhrsw psadbw mpsadbw pavgb pavgw
  pand pandn por pxor pcmpeqb pcmpeqw pcmpeqd pcmpeqq pcmpgtb pcmpgtw pcmpgtd pcmpgtq
  pminsb pminsw pminsd pminub pminuw pminud pmaxsb pmaxsw pmaxsd pmaxub pmaxuw pmaxud psignb psignw psignd
  phaddw phaddd phaddsw phsubw phsubd phsubsw pshufb palignr pblendw packsswb packssdw packuswb packusdw
  punpcklbw punpcklwd punpckldq punpcklqdq punpckhbw punpckhwd punpckhdq punpckhqdq
  psllw pslld psllq psrlw psrld psrlq psraw psrad pslldq psrldq
  pinsrb pinsrw pinsrd pinsrq movhlps movlhps aesenc aesenclast aesdec aesdeclast pclmulqdq
`;

/** Destination and source. */
const TWO_OPERANDS = `
  sqrtps sqrtpd rcpps rsqrtps roundps roundpd cvtdq2ps cvtps2dq cvttps2dq
  pabsb pabsw pabsd pshufd pshufhw pshuflw movddup movshdup movsldup phminposuw aesimc aeskeygenassist
`;

const WIDENING = `
  pmovsxbw pmovsxbd pmovsxbq pmovsxwd pmovsxwq pmovsxdq pmovzxbw pmovzxbd pmovzxbq pmovzxwd pmovzxwq pmovzxdq
  cvtps2pd cvtdq2pd
`;

/** 128 bits at most, operands as in SSE. */
const SAME_OPERANDS = `
  movd movq pextrb pextrw pextrd pextrq extractps cvtss2si cvtsd2si cvttss2si cvttsd2si maskmovdqu ldmxcsr stmxcsr
`;

const COMPARING = "comiss comisd ucomiss ucomisd pcmpestri pcmpestri64 pcmpistri";

/** Loads that keep half of another register, and the stores. */
const HALF_MOVES = "movlps movlpd movhps movhpd";

const names = (text: string): string[] => text.trim().split(/\s+/);

/** Destination, first source and memory; or a store with two operands. */
function halfMove(legacy: LoweringTable, mnemonic: string): Lowering {
  const [load, store] = [threeOperands(legacy, mnemonic), sameOperands(legacy, mnemonic)];
  return (g) => (g.instruction.operands.length === 3 ? load : store)(g);
}

/** Elements that shrink: a YMM source gives both halves of an XMM destination. */
function narrowing(legacy: LoweringTable, mnemonic: string): Lowering {
  const one = twoOperands(legacy, mnemonic);
  return (g) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as [Operand, Operand];
    const wide = source.kind === "memory" ? source.size === 32 : isYmm(source);
    if (!wide) {
      one(g);
      return;
    }
    const [low, high] = readHalves(g, source, 2).map((half) => {
      const result = g.tv();
      lowerAs(g, legacy, mnemonic, [g.aliasVector(result), g.aliasVector(half)]);
      return result;
    }) as [number, number];
    const joined = g.tv();
    e.get(low).get(high).lane(V.i64x2_extract_lane, 0).lane(V.i64x2_replace_lane, 1).set(joined);
    writeHalves(g, target, [joined]);
  };
}

/** PCMPESTRM and PCMPISTRM: the result goes to XMM0. */
function stringMask(legacy: LoweringTable, mnemonic: string): Lowering {
  const compare = sameOperands(legacy, mnemonic, true);
  return (g) => {
    compare(g);
    clearUpper(g, 0);
  };
}

/** MOVMSKPS, MOVMSKPD, PMOVMSKB: the bits of the upper half lie above those of the lower one. */
function signMask(lanes: "i8x16" | "i32x4" | "i64x2"): Lowering {
  const bits = { i8x16: 16, i32x4: 4, i64x2: 2 }[lanes];
  const opcode = (V as Record<string, number>)[`${lanes}_bitmask`]!;
  return (g: Context) => {
    const { e } = g;
    const [target, source] = g.instruction.operands as [Operand, Operand];
    if (target.kind !== "register") return;
    readHalves(g, source, isYmm(source) ? 2 : 1).forEach((half, i) => {
      e.get(half).op(opcode);
      if (i === 1) e.i32(bits).op(W.i32_shl, W.i32_or);
    });
    e.extend();
    g.popRegister({ ...target, size: 4 });
  };
}

export function avxFromLegacy(legacy: LoweringTable): LoweringRows {
  const rows = (text: string, make: (legacy: LoweringTable, name: string) => Lowering): LoweringRows =>
    names(text).map((name) => [`v${name}`, make(legacy, name)] as const);
  return [
    ...rows(THREE_OPERANDS, threeOperands),
    ...rows(TWO_OPERANDS, twoOperands),
    ...rows(WIDENING, widening),
    ...rows(SAME_OPERANDS, sameOperands),
    ...rows(COMPARING, (table, name) => sameOperands(table, name, true)),
    ...rows(HALF_MOVES, halfMove),
    ...rows("cvtpd2ps cvtpd2dq cvttpd2dq", narrowing),
    ...rows("pcmpestrm pcmpestrm64 pcmpistrm", stringMask),
    ["vmovmskps", signMask("i32x4")],
    ["vmovmskpd", signMask("i64x2")],
    ["vpmovmskb", signMask("i8x16")],
  ];
}
