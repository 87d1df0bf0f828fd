/** The interpreter's handlers: made from the lowerings when a form is met for the first time, some at a time. */
import { Assembler } from "../emit/assembler.ts";
import { Memory } from "../emit/opcodes.ts";
import { STATUS_DISPATCH, STATUS_FAULT } from "../context.ts";
import { INVALID, type Instruction } from "../decode.ts";
import { AT_RIP, type Layout } from "../layout.ts";
import { functionBody, type FunctionBody } from "../emit/module-writer.ts";
import { runtimeFunction } from "../linked-module.ts";
import { loweringOf } from "../lower/models.ts";
import type { CpuModel } from "../runtime/cpu-model.ts";
import { withRegisters, withSlots, type FormedInstruction } from "./forms.ts";
import { HandlerContext, HandlerFlow } from "./handler-context.ts";
import { RECORD_ADDRESS } from "./records.ts";

const VECTOR_UD = 6;

/** A handler that exists, or is waiting to be compiled with others. */
interface Handler {
  readonly slot: number;
  /** Registers the lowering uses itself: operands must not name them. See `forConcrete`. */
  readonly touched: number;
}

interface FormHandlers {
  /** By variant. */
  readonly shared: Map<number, Handler>;
  /** By variant and registers, for instructions that name a register the lowering uses itself. */
  readonly concrete: Map<string, Handler>;
}

export interface HandlerOptions {
  readonly layout: Layout;
  readonly model: CpuModel;
  /** Puts functions into the table, at the numbers `reserve` gave. */
  readonly install: (functions: readonly FunctionBody[], slots: readonly number[]) => void;
  /** A free place in the table. */
  readonly reserve: () => number;
  /** Told of instructions there is no lowering for; they raise #UD. */
  readonly onUnknown: (instruction: Instruction) => void;
}

export class Handlers {
  /** Goes to the address of the record. */
  readonly end: number;
  private readonly forms = new Map<string, FormHandlers>();
  private readonly options: HandlerOptions;
  private readonly waiting: { readonly slot: number; readonly body: FunctionBody }[] = [];
  count = 0;

  constructor(options: HandlerOptions) {
    this.options = options;
    this.end = options.reserve();
    const e = new Assembler(1);
    e.i32(0)
      .get(0)
      .memory(Memory.i64_load, RECORD_ADDRESS)
      .memory(Memory.i64_store, AT_RIP)
      .i32(1 + STATUS_DISPATCH);
    this.waiting.push({ slot: this.end, body: functionBody(e) });
  }

  /** The place in the table of the handler for an instruction: usable when `flush` was called. */
  find(instruction: Instruction, formed: FormedInstruction): number {
    let form = this.forms.get(instruction.form);
    if (!form) this.forms.set(instruction.form, (form = { shared: new Map(), concrete: new Map() }));
    let handler = form.shared.get(formed.variant);
    if (!handler) {
      handler = this.make(withSlots(instruction, formed));
      form.shared.set(formed.variant, handler);
    }
    if ((handler.touched & formed.used) === 0) return handler.slot;
    const key = `${formed.variant}/${formed.registers.join()}`;
    let concrete = form.concrete.get(key);
    if (!concrete) form.concrete.set(key, (concrete = this.make(withRegisters(instruction))));
    return concrete.slot;
  }

  /** Compiles what `find` promised. */
  flush(): void {
    if (this.waiting.length === 0) return;
    const functions = this.waiting.map(({ body }) => body);
    const slots = this.waiting.map(({ slot }) => slot);
    this.waiting.length = 0;
    this.count += slots.length;
    this.options.install(functions, slots);
  }

  private make(instruction: Instruction): Handler {
    const { layout, model, reserve, onUnknown } = this.options;
    const slot = reserve();
    const e = new Assembler(1);
    const context = new HandlerContext(e, layout, runtimeFunction);
    const exit = e.block();
    const fault = e.block();
    context.flow = new HandlerFlow(context, exit, fault);
    context.begin(instruction);
    const lower = loweringOf(instruction, model);
    if (lower) lower(context);
    else {
      if (instruction.mnemonic !== INVALID) onUnknown(instruction);
      context.raise(VECTOR_UD, 0);
    }
    e.br(exit);
    e.end();
    e.i32(1 + STATUS_FAULT).set(context.status);
    e.end();
    context.finish();
    this.waiting.push({ slot, body: functionBody(e) });
    return { slot, touched: context.touched };
  }
}
