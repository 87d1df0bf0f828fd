/**
 * What the wasm engine does not do as the processor does, by the text of a failure. A mended row is to be taken out, here
 * and from emulator/wasm/README.md: the test then holds the engine to it.
 */
export const KNOWN_FAILURES: readonly (readonly [failure: RegExp, reason: string])[] = [
  [
    /^F[a-z0-9_]+: .*\b(st|fsw|ftw|fcw|rflags|memory)\b/i,
    "x87: C1, denormal and unsupported operands, empty registers, last places",
  ],
  [/_mm|^Emms/, "MMX: reading or faulting instructions switch to the wrong x87 state"],
  [/^Sahf: /, "flag liveness throws"],
  [/^Pushw_[FG]S: /, "pushes 8 bytes"],
  [/^Cmpxchg_rm32_r32: gpr/, "a failing CMPXCHG zero-extends its destination"],
  [/^Enter[wq]_/, "nesting levels; 16-bit operand size"],
  [/: vector 12 /, "#GP in place of #SS"],
  [/^Reservednop_.*_0F1/, "hint instructions with names are #UD"],
  [/^Clflush_m8: /, "does not touch its operand"],
  [/^Bs[fr]_r32_rm32: gpr/, "source 0: the upper half of the destination"],
  [/^(Rcp|Rsqrt)[ps]s_/, "denormals are not flushed"],
  [/: vector 1 /, "REP under TF traps once"],
];
