/** The instruction forms that are fuzzed: iced's Codes that the engine has a lowering for and the CPU model contains. */
import { loadDecoder } from "../wasm/decode.ts";
import { supportsForm } from "../wasm/lower/models.ts";
import type { CpuModel } from "../wasm/runtime/cpu-model.ts";

export type Iced = ReturnType<typeof loadDecoder>;
export type IcedInstruction = InstanceType<Iced["Instruction"]>;

export type { CpuModel };

const V2_FEATURES = new Set(
  `INTEL8086 INTEL186 INTEL286 INTEL386 INTEL486 X64 FPU FPU287 FPU387 CMOV MMX SSE SSE2 SSE3 SSSE3 SSE4_1 SSE4_2
   CX8 CMPXCHG16B POPCNT FXSR PAUSE MULTIBYTENOP PREFETCHW CLFSH CET_IBT`.split(/\s+/),
);
const V3_FEATURES = new Set([
  ...V2_FEATURES,
  ..."AVX AVX2 BMI1 BMI2 FMA MOVBE F16C LZCNT AES PCLMULQDQ SHA".split(" "),
]);

/** Forms that cannot be compared, by name, each with its reason. The first row that fits counts. */
export const EXCLUDED: readonly (readonly [name: RegExp, reason: string])[] = [
  [/^(Syscall|Sysenter|Sysret|Sysexit|Int_imm8|Int1|Iret)/, "enters the host's kernel"],
  [/^(Jmp|Call|Retf|Ret)[a-z]*_(ptr|m16|m32)|^(Jmp|Call)_m(1616|1632|1664)|^Retf/, "far transfers change CS"],
  [/_rel16|^(Jmp|Call)_rm16$|^Retnw|^Loop.*_16_|_16$/, "16-bit branches: processors of Intel and AMD differ"],
  [/^(Cpuid|Rdtsc|Rdtscp|Rdrand|Rdseed|Rdpmc|Rdpid)/, "the answer is the host's"],
  [/^(Sgdt|Sidt|Sldt|Str|Smsw|Lar|Lsl|Verr|Verw)_/, "the answer is the host's"],
  [/^(Mov_Sreg|Pop[wq]?_(FS|GS|fs|gs)|L[fgs]s_)/, "loads a segment register of the host"],
  [/^(Rd|Wr)[fg]sbase|^Swapgs/, "the bases are the harness's"],
  [/^(Mov_r\d+_[cd]r|Mov_[cd]r_|Xgetbv|Xsave|Xrstor|Monitor|Mwait)/, "privileged or the host's"],
  [/^(Hlt|Cli|Sti|In_|Out_|Ins[bwd]_|Outs[bwd]_|Clts|Invd|Wbinvd|L[gil]dt|Ltr|Lmsw|Invlpg|Rdmsr|Wrmsr)/, "privileged"],
  [/^Reservednop_.*_0F0D$/, "0F 0D with a register is #UD on processors of AMD"],
  [/^Int3$/, "ends a case"],
  [/^(Ret|Jmp_rm64|Call_rm64)/, "targets come from data; a template makes them"],
];

/** What a form does with a general register it does not name. */
export interface Form {
  readonly code: number;
  readonly name: string;
  readonly mnemonic: string;
  /** Names of iced's OpCodeOperandKind. */
  readonly operands: readonly string[];
  readonly written: readonly boolean[];
  /** General registers changed without being operands, in the processor's order. */
  readonly implicitWrites: readonly number[];
  readonly memorySize: number;
  readonly lock: boolean;
  readonly rep: boolean;
  readonly repne: boolean;
  readonly vex: boolean;
}

export interface FormOptions {
  readonly cpu?: CpuModel;
  /** Only forms whose name fits. */
  readonly only?: RegExp;
}

const done = new Map<CpuModel, readonly Form[]>();

/** All forms to be fuzzed, in iced's order. */
export function supportedForms({ cpu = "x86-64-v2", only }: FormOptions = {}): readonly Form[] {
  let forms = done.get(cpu);
  if (!forms) done.set(cpu, (forms = collect(cpu)));
  return only ? forms.filter(({ name }) => only.test(name)) : forms;
}

/** Branches, which are seldom among the other instructions of a sequence, and what faults most of the time. */
const SELDOM_EXECUTED = /^Enter[qw]_/;

/** The forms in the order in which sequences are made for them: those seldom executed twice, so that all get their hits. */
export function turnsOf(forms: readonly Form[]): readonly Form[] {
  const seldom = forms.filter((form) => isBranch(form) || SELDOM_EXECUTED.test(form.name));
  return [...forms, ...seldom];
}

export function isBranch(form: Form): boolean {
  return form.operands.some((kind) => kind.startsWith("br64"));
}

/** Why a form of the CPU model is not fuzzed; undefined when it is. */
export function exclusion(name: string): string | undefined {
  return EXCLUDED.find(([pattern]) => pattern.test(name))?.[1];
}

function collect(cpu: CpuModel): Form[] {
  const x = loadDecoder();
  const features = cpu === "x86-64-v3" ? V3_FEATURES : V2_FEATURES;
  const factory = new x.InstructionInfoFactory();
  const forms: Form[] = [];
  for (const [name, code] of Object.entries(x.Code)) {
    if (typeof code !== "number") continue;
    const info = x.CodeExt.opCode(code);
    const legacy = info.encoding === x.EncodingKind.Legacy;
    const usable =
      info.mode64 &&
      info.isInstruction &&
      (legacy || (cpu === "x86-64-v3" && info.encoding === x.EncodingKind.VEX)) &&
      exclusion(name) === undefined;
    if (usable && hasFeatures(x, code, features) && supportsForm(name, cpu))
      forms.push(describe(x, factory, name, code));
    info.free();
  }
  factory.free();
  return forms;
}

function hasFeatures(x: Iced, code: number, features: ReadonlySet<string>): boolean {
  const instruction = new x.Instruction();
  instruction.code = code;
  const needed = [...instruction.cpuidFeatures()].map((feature) => x.CpuidFeature[feature]!);
  instruction.free();
  return needed.every((feature) => features.has(feature));
}

function describe(x: Iced, factory: InstanceType<Iced["InstructionInfoFactory"]>, name: string, code: number): Form {
  const info = x.CodeExt.opCode(code);
  const sample = new x.Instruction();
  sample.code = code;
  const used = factory.info(sample);
  const writes = (access: number): boolean =>
    [x.OpAccess.Write, x.OpAccess.CondWrite, x.OpAccess.ReadWrite, x.OpAccess.ReadCondWrite].includes(access);
  const implicitWrites = new Set<number>();
  for (const register of used.usedRegisters() as InstanceType<Iced["UsedRegister"]>[]) {
    const full = x.RegisterExt.fullRegister(register.register);
    if (writes(register.access) && full >= x.Register.RAX && full <= x.Register.R15) {
      implicitWrites.add(full - x.Register.RAX);
    }
    register.free();
  }
  const count = info.opCount;
  const form: Form = {
    code,
    name,
    mnemonic: x.Mnemonic[info.mnemonic]!.toLowerCase(),
    operands: Array.from({ length: count }, (_, i) => x.OpCodeOperandKind[info.opKind(i)]!),
    written: Array.from({ length: count }, (_, i) => writes(used.opAccess(i))),
    implicitWrites: [...implicitWrites],
    memorySize: x.MemorySizeExt.size(info.memorySize),
    lock: info.canUseLockPrefix,
    rep: info.canUseRepPrefix,
    repne: info.canUseRepnePrefix,
    vex: info.encoding !== x.EncodingKind.Legacy,
  };
  info.free();
  used.free();
  sample.free();
  return form;
}
