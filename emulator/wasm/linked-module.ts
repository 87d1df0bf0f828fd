/**
 * Modules of translated functions. They import memory and one table with all functions of the runtime in a fixed order,
 * so that the body of a function may stand in any module: it can be kept and put together with others later. Functions
 * are not imported one by one because V8 compiles wrappers for them in every module, 0.3 ms each time.
 */
import { throughTable } from "./emit/assembler.ts";
import { ModuleWriter, type FunctionBody } from "./emit/module-writer.ts";
import { REGION_SIGNATURE } from "./base-module.ts";
import { leastMemory, type Layout } from "./layout.ts";
import { RUNTIME_FUNCTIONS } from "./runtime/signatures.ts";

const RUNTIME = Object.entries(RUNTIME_FUNCTIONS);

function emptyModule(): ModuleWriter {
  const module = new ModuleWriter();
  module.importTable("runtime");
  module.type(REGION_SIGNATURE);
  for (const [, signature] of RUNTIME) module.type(signature);
  return module;
}

const types = emptyModule();
const NUMBERS = new Map(
  RUNTIME.map(([name, signature], place) => [name, throughTable(types.type(signature), place)] as const),
);

/** What to call for a function of the runtime, in every module. */
export function runtimeFunction(name: string): number {
  return NUMBERS.get(name)!;
}

/** The table that modules import, from functions by name. */
export function runtimeTable(functions: WebAssembly.Exports): WebAssembly.Table {
  const table = new WebAssembly.Table({ element: "anyfunc", initial: RUNTIME.length, maximum: RUNTIME.length });
  RUNTIME.forEach(([name], place) => table.set(place, functions[name]));
  return table;
}

/** A module that exports the functions as f0, f1, …, for an engine with its tables in some place. */
export function linkedModule(functions: readonly FunctionBody[], layout: Layout): Uint8Array<ArrayBuffer> {
  const module = emptyModule();
  module.leastMemory = leastMemory(layout);
  functions.forEach((body, i) => module.defineBody(REGION_SIGNATURE, body, `f${i}`));
  return module.finish();
}

/**
 * A module that puts the functions into places of the table of translations itself. V8 makes an object for every function
 * that is exported, and a copy of the table for every module that knows it: this is for many functions, once.
 */
export function placedModule(
  functions: readonly FunctionBody[],
  slots: readonly number[],
  layout: Layout,
): Uint8Array<ArrayBuffer> {
  const module = emptyModule();
  module.leastMemory = leastMemory(layout);
  const translations = module.importTable("translations");
  functions.forEach((body, i) => module.place(translations, slots[i]!, module.defineBody(REGION_SIGNATURE, body)));
  return module.finish();
}
