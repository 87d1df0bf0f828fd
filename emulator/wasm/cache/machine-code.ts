/**
 * V8's machine code of WebAssembly modules, as far as V8 has optimized their functions, to be kept between runs. V8 gives
 * it to its own tests only: functions whose names begin with % make and take it, and end the process when they are called
 * wrongly. So only the versions of V8 count that this was tried with, those of Node 20, 22 and 24.
 */
const TRIED = ["11.3.", "12.4.", "13.6."];

export interface MachineCode {
  /** Whether V8 has optimized a function that a module exports. */
  readonly isOptimized: (exported: unknown) => boolean;
  /** The machine code of a module. At least one of its functions has to be optimized. */
  readonly of: (module: WebAssembly.Module) => ArrayBuffer;
  /** A module; undefined where the code is of another V8, other flags or another processor. */
  readonly load: (code: ArrayBuffer, binary: Uint8Array<ArrayBuffer>) => WebAssembly.Module | undefined;
}

let found: MachineCode | undefined;
let looked = false;

/** What V8 has to offer here; undefined: nothing. */
export function machineCode(): MachineCode | undefined {
  if (!looked) found = findMachineCode();
  looked = true;
  return found;
}

function findMachineCode(): MachineCode | undefined {
  const version = globalThis.process?.versions?.v8 ?? "";
  const v8 = globalThis.process?.getBuiltinModule?.("node:v8");
  if (!v8 || !TRIED.some((tried) => version.startsWith(tried))) return undefined;
  // To stay: V8 reads a function again when it is called for the first time.
  v8.setFlagsFromString("--allow-natives-syntax");
  const native = (parameters: string, call: string): unknown => new Function(parameters, `return ${call}`);
  try {
    return {
      isOptimized: native("exported", "%IsTurboFanFunction(exported)") as MachineCode["isOptimized"],
      of: native("module", "%SerializeWasmModule(module)") as MachineCode["of"],
      load: native("code, binary", "%DeserializeWasmModule(code, binary)") as MachineCode["load"],
    };
  } catch (error) {
    // Where scripts may not be made from text.
    if (error instanceof EvalError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
