/** The interpreter's handlers: made from the lowerings when a form is met for the first time, some at a time. */
import { VECTOR_UD } from "../../engine.ts";
import { Assembler } from "../emit/assembler.ts";
import { Memory } from "../emit/opcodes.ts";
import { STATUS_CHAIN } from "../context.ts";
import type { HandlerNames } from "../cache/saved-page.ts";
import { INVALID, type Instruction } from "../decode.ts";
import { AT_RIP, type Layout } from "../layout.ts";
import { functionBody, type FunctionBody } from "../emit/module-writer.ts";
import { runtimeFunction } from "../linked-module.ts";
import { loweringOf } from "../lower/models.ts";
import type { CpuModel } from "../runtime/cpu-model.ts";
import { withRegisters, withSlots, type FormedInstruction } from "./forms.ts";
import { HandlerContext } from "./handler-context.ts";
import { RECORD_ADDRESS } from "./records.ts";

const END = "end";

/** A handler that exists, or is waiting to be compiled with others. */
export interface Handler {
  /** Form, variant and perhaps registers. */
  readonly name: string;
  readonly slot: number;
  /** Registers the lowering uses itself: operands must not name them. See `forConcrete`. */
  readonly touched: number;
}

/** A handler as it is kept for later runs. */
export interface SavedHandler {
  readonly name: string;
  readonly touched: number;
  readonly body: FunctionBody;
}

interface FormHandlers {
  /** By variant. */
  readonly shared: Map<number, Handler>;
  /** By variant and registers, for instructions that name a register the lowering uses itself. */
  readonly concrete: Map<string, Handler>;
}

type Install = (functions: readonly FunctionBody[], slots: readonly number[]) => void;

export interface HandlerOptions {
  readonly layout: Layout;
  readonly model: CpuModel;
  readonly strictFloat: boolean;
  /** Puts functions into the table, at the numbers `reserve` gave. */
  readonly install: Install;
  /** Gives up code that can be made again. */
  readonly makeRoom: () => void;
  /** A free place in the table. */
  readonly reserve: () => number;
  /** Told of instructions there is no lowering for; they raise #UD. */
  readonly onUnknown: (instruction: Instruction) => void;
}

export class Handlers {
  /** Goes to the address of the record. */
  readonly end: Handler;
  private readonly byName = new Map<string, Handler>();
  /** By their places in the table. */
  readonly names: (string | undefined)[] = [];
  /** Places in the table of handlers that others number otherwise. */
  private readonly slots = new Map<HandlerNames, readonly (number | undefined)[]>();
  private readonly bodies = new Map<string, { readonly handler: Handler; readonly body: FunctionBody }>();
  private readonly forms = new Map<string, FormHandlers>();
  private readonly options: HandlerOptions;
  private readonly waiting: { readonly slot: number; readonly body: FunctionBody }[] = [];
  /** How many were there when they were kept last. */
  private saved = 0;
  /** How many the first ones behind `end` are that need not be kept. */
  private common = 0;

  constructor(options: HandlerOptions) {
    this.options = options;
    const e = new Assembler(1);
    e.i32(0)
      .get(0)
      .memory(Memory.i64_load, RECORD_ADDRESS)
      .memory(Memory.i64_store, AT_RIP)
      .i32(1 + STATUS_CHAIN);
    this.end = this.add(END, 0, functionBody(e));
  }

  /** Takes handlers that are there before the first run. */
  restoreCommon(common: readonly SavedHandler[], install: Install): void {
    this.restore(common, install);
    this.common = common.length;
  }

  /** Takes handlers of an earlier run. */
  restore(saved: readonly SavedHandler[], install: Install): void {
    for (const { name, touched, body } of saved) if (!this.byName.has(name)) this.add(name, touched, body);
    this.saved = this.byName.size;
    this.compile(install);
  }

  /** All that are not common, when there are new ones since `restore` or the last call. */
  newSaved(): SavedHandler[] | undefined {
    if (this.byName.size === this.saved) return undefined;
    this.saved = this.byName.size;
    return [...this.bodies.values()].slice(1 + this.common).map(({ handler, body }) => ({
      name: handler.name,
      touched: handler.touched,
      body,
    }));
  }

  /** The places of handlers in the table, by somebody's numbers for them; undefined for those that are not known. */
  slotsOf(names: HandlerNames): readonly (number | undefined)[] {
    let slots = names === this.names ? undefined : this.slots.get(names);
    if (!slots) {
      slots = names.map((name) => (name === undefined ? undefined : this.byName.get(name)?.slot));
      if (names !== this.names) this.slots.set(names, slots);
    }
    return slots;
  }

  /** The handler for an instruction: usable when `flush` was called. */
  find(instruction: Instruction, formed: FormedInstruction): Handler {
    let form = this.forms.get(instruction.form);
    if (!form) this.forms.set(instruction.form, (form = { shared: new Map(), concrete: new Map() }));
    let handler = form.shared.get(formed.variant);
    if (!handler) {
      const name = `${instruction.form}/${formed.variant}`;
      handler = this.byName.get(name) ?? this.make(name, withSlots(instruction, formed));
      form.shared.set(formed.variant, handler);
    }
    if ((handler.touched & formed.used) === 0) return handler;
    const key = `${formed.variant}/${formed.registers.join()}`;
    let concrete = form.concrete.get(key);
    if (!concrete) {
      const name = `${instruction.form}/${key}`;
      concrete = this.byName.get(name) ?? this.make(name, withRegisters(instruction));
      form.concrete.set(key, concrete);
    }
    return concrete;
  }

  /** Compiles what `find` promised. */
  flush(): void {
    this.compile(this.options.install);
  }

  /** A host that refuses once is asked again when there is more room. */
  private compile(install: Install): void {
    if (this.waiting.length === 0) return;
    const functions = this.waiting.map(({ body }) => body);
    const slots = this.waiting.map(({ slot }) => slot);
    try {
      install(functions, slots);
    } catch {
      this.options.makeRoom();
      install(functions, slots);
    }
    this.waiting.length = 0;
  }

  private add(name: string, touched: number, body: FunctionBody): Handler {
    const handler = { name, slot: this.options.reserve(), touched };
    this.waiting.push({ slot: handler.slot, body });
    this.byName.set(name, handler);
    this.names[handler.slot] = name;
    this.bodies.set(name, { handler, body });
    return handler;
  }

  private make(name: string, instruction: Instruction): Handler {
    const { layout, model, strictFloat, onUnknown } = this.options;
    const e = new Assembler(1);
    const context = new HandlerContext(e, layout, runtimeFunction, strictFloat);
    context.begin(instruction);
    const lower = loweringOf(instruction, model);
    if (lower) lower(context);
    else {
      if (instruction.mnemonic !== INVALID) onUnknown(instruction);
      context.raise(VECTOR_UD, 0);
    }
    context.finish();
    return this.add(name, context.touched >>> 0, functionBody(e));
  }
}
