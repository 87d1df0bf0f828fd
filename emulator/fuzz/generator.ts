/** Random instruction sequences with their register files: a function of seed, batch and forms. */
import { loadDecoder } from "../wasm/decode.ts";
import { isBranch, supportedForms, turnsOf, type Form, type Iced, type IcedInstruction } from "./forms.ts";
import { flagsOf, NO_FLAGS, type FlagUse } from "./flag-use.ts";
import { OperandChooser } from "./operands.ts";
import type { Random } from "./random.ts";
import { RegisterFile } from "./register-file.ts";
import { ALL_FLAGS, STATUS_FLAGS, X87_FLAGS, type Item, type Sequence } from "./sequence.ts";

const INT3 = 0xcc;
/** Prefixes put in front of finished instructions; what they mean is found out by decoding again. */
const PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];
const LEGACY_PREFIXES = new Set([...PREFIXES]);
export class Generator {
  private readonly x: Iced = loadDecoder();
  private readonly forms: readonly Form[];
  private readonly turns: readonly Form[];
  private readonly byCode: ReadonlyMap<number, Form>;
  private readonly plain: readonly Form[];
  private readonly encoder;
  private readonly decoded;
  private readonly registers = new RegisterFile();
  private readonly strict: boolean;

  /** @param chosen the forms that sequences are made for; fillers are taken from `all` */
  constructor(chosen: readonly Form[], strict: boolean, all: readonly Form[] = supportedForms()) {
    this.forms = chosen;
    this.turns = turnsOf(chosen);
    this.plain = all.filter((form) => !isBranch(form));
    this.byCode = new Map([...supportedForms(), ...all, ...chosen].map((form) => [form.code, form]));
    this.encoder = new this.x.Encoder(64);
    this.decoded = new this.x.Instruction();
    this.strict = strict;
  }

  /** The case of a number, its registers written to `state`. */
  generate(random: Random, number: number, address: number, state: DataView): Sequence {
    this.registers.start(random, state, address, this.strict);
    const form = this.turns[number % this.turns.length]!;
    const draft = new Draft(this.x, this.encoder, new OperandChooser(this.x, random, this.registers), address);
    const length = random.chance(0.3) ? 1 : random.chance(0.5) ? 2 + random.below(3) : 4 + random.below(9);
    const position = random.below(length);
    const loop = length > 2 && random.chance(0.12) ? this.openLoop(random, draft) : undefined;
    for (let i = 0; i < length; i++) {
      if (i === position) this.place(random, draft, form);
      else this.place(random, draft, random.chance(0.06) ? random.pick(this.forms) : random.pick(this.plain));
    }
    if (loop) this.closeLoop(random, draft, loop);
    return draft.finish(form.code);
  }

  /** Adds an instruction of the form, behind one that defines the flags it reads if those are undefined. */
  private place(random: Random, draft: Draft, form: Form): void {
    const { registers } = this;
    if (form.implicitWrites.includes(registers.reserved)) return;
    for (let attempt = 0; attempt < 4; attempt++) {
      const instruction = draft.operands.choose(form);
      try {
        this.defineFlags(random, draft, form, instruction);
        const bytes = draft.encode(instruction);
        if (bytes === undefined) continue;
        if (!isBranch(form) && random.chance(0.04) && this.placePrefixed(random, draft, bytes)) return;
        const rep = instruction.hasRepePrefix || instruction.hasRepnePrefix;
        if (rep && registers.reserved === 1) continue;
        draft.add(form, bytes, flagsOf(instruction, form.mnemonic));
        if (isBranch(form)) draft.branchForward(1 + random.below(4));
        this.spoil(form, instruction, rep);
        return;
      } finally {
        instruction.free();
      }
    }
  }

  private defineFlags(random: Random, draft: Draft, form: Form, instruction: IcedInstruction): void {
    const { x } = this;
    const { reads } = flagsOf(instruction, form.mnemonic);
    for (let attempt = 0; attempt < 6 && (draft.undefinedFlags & reads) !== 0; attempt++) {
      const status = (draft.undefinedFlags & reads & STATUS_FLAGS) !== 0;
      const definer = status
        ? x.Instruction.createRegReg(
            x.Code.Cmp_r64_rm64,
            x.Register.RAX + random.below(16),
            x.Register.RAX + random.below(16),
          )
        : x.Instruction.create(x.Code.Fxam);
      draft.add(this.byCode.get(definer.code)!, draft.encode(definer)!, flagsOf(definer, status ? "cmp" : "fxam"));
      definer.free();
    }
  }

  /** Tries the instruction with one more prefix; false if that is not a form to be fuzzed. */
  private placePrefixed(random: Random, draft: Draft, plain: Uint8Array): boolean {
    const { x, decoded } = this;
    const rex = !LEGACY_PREFIXES.has(plain[0]!) && (plain[0]! & 0xf0) !== 0x40 && random.chance(0.3);
    const bytes = Uint8Array.of(rex ? 0x40 + random.below(16) : random.pick(PREFIXES), ...plain);
    const decoder = new x.Decoder(64, bytes, x.DecoderOptions.None);
    decoder.ip = BigInt(draft.end);
    decoder.decodeOut(decoded);
    decoder.free();
    const form = this.byCode.get(decoded.code);
    const illegalLock = decoded.code === 0 && bytes[0] === 0xf0;
    if (!form && !illegalLock) return false;
    if (form && (decoded.length !== bytes.length || isBranch(form))) return false;
    if (form && form.implicitWrites.includes(this.registers.reserved)) return false;
    if (form && (draft.undefinedFlags & (flagsOf(decoded, form.mnemonic).reads | X87_FLAGS)) !== 0) return false;
    if (this.registers.reserved >= 0) return false;
    draft.add(form, bytes, form ? flagsOf(decoded, form.mnemonic) : NO_FLAGS);
    if (form) {
      this.spoil(form, decoded, true);
      for (let i = 0; i < decoded.opCount; i++) this.spoilOperand(decoded, i);
    }
    return true;
  }

  /** Forgets the values of registers that the instruction writes. */
  private spoil(form: Form, instruction: IcedInstruction, rep: boolean): void {
    for (const register of form.implicitWrites) if (register !== 4) this.registers.spoil(register);
    if (rep) this.registers.spoil(1);
    form.written.forEach((written, i) => written && this.spoilOperand(instruction, i));
  }

  private spoilOperand(instruction: IcedInstruction, i: number): void {
    const { x } = this;
    if (instruction.opKind(i) !== x.OpKind.Register) return;
    const full = x.RegisterExt.fullRegister(instruction.opRegister(i));
    if (full >= x.Register.RAX && full <= x.Register.R15) this.registers.spoil(full - x.Register.RAX);
  }

  /** A counter of 1 to 4 rounds; it and the flags at the head hold whatever a round may leave. */
  private openLoop(random: Random, draft: Draft): Loop | undefined {
    const { x, registers } = this;
    const byCount = random.chance(0.3);
    const register = byCount ? 1 : random.pick([3, 8, 9, 10, 11, 12, 13, 14, 15]);
    const start = x.Instruction.createRegU32(x.Code.Mov_r32_imm32, x.Register.EAX + register, 1 + random.below(4));
    draft.add(this.byCode.get(start.code)!, draft.encode(start)!, NO_FLAGS);
    start.free();
    registers.spoil(register);
    registers.reserved = register;
    draft.undefinedFlags = ALL_FLAGS;
    return { head: draft.items, register, byCount };
  }

  private closeLoop(random: Random, draft: Draft, { head, register, byCount }: Loop): void {
    const { x, registers } = this;
    if (!byCount) {
      const code = random.chance(0.5) ? x.Code.Dec_rm32 : x.Code.Dec_rm64;
      const base = code === x.Code.Dec_rm32 ? x.Register.EAX : x.Register.RAX;
      const count = x.Instruction.createReg(code, base + register);
      draft.landHere();
      draft.add(this.byCode.get(code)!, draft.encode(count)!, flagsOf(count, "dec"));
      count.free();
    }
    const form = this.byCode.get(byCount ? x.Code.Loop_rel8_64_RCX : x.Code.Jne_rel32_64)!;
    const branch = x.Instruction.createBranch(form.code, BigInt(draft.end));
    draft.add(form, draft.encode(branch)!, flagsOf(branch, form.mnemonic));
    branch.free();
    draft.branchTo(head);
    registers.reserved = -1;
  }
}

interface Loop {
  readonly head: number;
  readonly register: number;
  readonly byCount: boolean;
}

/** A sequence in the making. */
class Draft {
  readonly operands: OperandChooser;
  private readonly x: Iced;
  private readonly encoder: InstanceType<Iced["Encoder"]>;
  private readonly address: number;
  private readonly bytes: number[] = [];
  private readonly list: Item[] = [];
  /** From item to item. */
  private readonly branches: { readonly from: number; to: number }[] = [];
  private readonly undefinedFromBranch: number[] = [];
  private straight = true;
  undefinedFlags = 0;

  constructor(x: Iced, encoder: InstanceType<Iced["Encoder"]>, operands: OperandChooser, address: number) {
    this.x = x;
    this.encoder = encoder;
    this.operands = operands;
    this.address = address;
  }

  get items(): number {
    return this.list.length;
  }

  get end(): number {
    return this.address + this.bytes.length;
  }

  /** Bytes of the instruction at the end of what is there; undefined when it has no encoding. */
  encode(instruction: IcedInstruction): Uint8Array | undefined {
    try {
      if (instruction.op0Kind === this.x.OpKind.NearBranch64) instruction.nearBranch64 = BigInt(this.end);
      this.encoder.encode(instruction, BigInt(this.end));
      return this.encoder.takeBuffer();
    } catch {
      this.encoder.takeBuffer();
      return undefined;
    }
  }

  add(form: Form | undefined, bytes: Uint8Array, flags: FlagUse): void {
    this.list.push({
      code: form?.code ?? 0,
      offset: this.bytes.length,
      length: bytes.length,
      undefinedBefore: this.undefinedFlags,
      straight: this.straight,
    });
    this.bytes.push(...bytes);
    this.undefinedFlags = (this.undefinedFlags & ~flags.writes) | flags.leavesUndefined;
    this.undefinedFlags |= this.undefinedFromBranch[this.list.length] ?? 0;
  }

  /** The branch just added goes `distance` instructions beyond its successor, or to the end. */
  branchForward(distance: number): void {
    const to = this.list.length + distance - 1;
    this.branchTo(to);
    this.undefinedFromBranch[to] = (this.undefinedFromBranch[to] ?? 0) | this.undefinedFlags;
  }

  /** The branch just added goes to the item of that number, which may not exist yet. */
  branchTo(item: number): void {
    this.branches.push({ from: this.list.length - 1, to: item });
    this.straight = false;
  }

  /** Branches to the item behind the next one go to the next one: it has the flags that the other reads. */
  landHere(): void {
    const next = this.list.length;
    for (const branch of this.branches) if (branch.to === next + 1) branch.to = next;
    this.undefinedFlags |= this.undefinedFromBranch[next + 1] ?? 0;
    delete this.undefinedFromBranch[next + 1];
  }

  finish(chosen: number): Sequence {
    const bytes = Uint8Array.from([...this.bytes, INT3]);
    const view = new DataView(bytes.buffer);
    for (const [index, flags] of this.undefinedFromBranch.entries()) {
      if (index >= this.list.length) this.undefinedFlags |= flags ?? 0;
    }
    for (const { from, to } of this.branches) {
      const { offset, length } = this.list[from]!;
      const target = this.list[to]?.offset ?? this.bytes.length;
      const end = offset + length;
      const form = this.x.Code[this.list[from]!.code]!;
      if (/rel32/.test(form)) view.setInt32(end - 4, target - end, true);
      else if (Math.abs(target - end) < 128) view.setInt8(end - 1, target - end);
    }
    return { address: this.address, bytes, items: this.list, undefinedAfter: this.undefinedFlags, chosen };
  }
}
