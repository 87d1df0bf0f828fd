/**
 * Modules that later runs find again under a name, with the machine code that V8 had made of them by the end of the run.
 * Where V8 does not give that away, they are compiled anew.
 */
import { ByteWriter } from "../emit/byte-writer.ts";
import { ByteReader } from "./byte-reader.ts";
import { machineCode } from "./machine-code.ts";
import { putSealed, readSealed } from "./sealed.ts";
import type { TranslationStore } from "./translation-store.ts";

type Readable = Pick<TranslationStore, "get"> | undefined;

/** A module as it is kept. */
interface SavedModule {
  readonly binary: Uint8Array<ArrayBuffer>;
  /** Empty: none. */
  readonly code: Uint8Array<ArrayBuffer>;
  /** How many functions the code is of. */
  readonly optimized: number;
}

/** A module in use, of which there may be more code at the end than is kept. */
interface UsedModule {
  readonly key: string;
  readonly module: WebAssembly.Module;
  readonly binary: Uint8Array<ArrayBuffer>;
  readonly functions: () => readonly unknown[];
  /** It is kept when more functions are optimized; undefined: it is kept in any case. */
  readonly optimized: number | undefined;
}

export class KeptModules {
  private readonly used: UsedModule[] = [];
  private readonly own: TranslationStore | undefined;
  private readonly common: Readable;

  /**
   * @param own where modules are kept
   * @param common where some are that every run finds
   */
  constructor(own: TranslationStore | undefined, common: Readable) {
    this.own = own;
    this.common = common;
  }

  /**
   * An instance of a module that is kept under a name.
   *
   * @param functions all functions of the module, those it exports unless said otherwise
   */
  instantiate(
    name: string,
    binary: Uint8Array<ArrayBuffer>,
    imports: WebAssembly.Imports,
    functions?: () => readonly unknown[],
  ): WebAssembly.Exports {
    const key = keyOf(name);
    for (const store of [this.common, this.own]) {
      const saved = readSealed(store, key, decodeModule);
      const module = saved && isSame(saved.binary, binary) ? restore(saved) : undefined;
      if (!module) continue;
      const { exports } = new WebAssembly.Instance(module, imports);
      const optimized = saved!.optimized;
      if (store === this.own)
        this.use({ key, module, binary, optimized, functions: functions ?? functionsOf(exports) });
      return exports;
    }
    return this.compile(key, binary, imports, 0, functions);
  }

  /** An instance of a new module; it will be known under the name. */
  add(name: string, binary: Uint8Array<ArrayBuffer>, imports: WebAssembly.Imports): WebAssembly.Exports {
    return this.compile(keyOf(name), binary, imports, undefined);
  }

  /** An instance of a module that was added in an earlier run. */
  load(name: string, imports: WebAssembly.Imports): WebAssembly.Exports | undefined {
    const key = keyOf(name);
    const saved = readSealed(this.own, key, decodeModule);
    if (!saved) return undefined;
    const module = restore(saved);
    if (!module) return this.compile(key, saved.binary, imports, 0);
    const { exports } = new WebAssembly.Instance(module, imports);
    const { binary, optimized } = saved;
    this.use({ key, module, binary, optimized, functions: functionsOf(exports) });
    return exports;
  }

  /** Keeps what is new. */
  save(): void {
    const { own } = this;
    if (!own) return;
    const v8 = machineCode();
    for (const { key, module, binary, functions, optimized } of this.used.splice(0)) {
      const now = v8 ? functions().filter((each) => v8.isOptimized(each)).length : 0;
      if (optimized !== undefined && now <= optimized) continue;
      const code = now > 0 ? new Uint8Array(v8!.of(module)) : new Uint8Array();
      putSealed(own, key, encodeModule({ binary, code, optimized: now }));
    }
  }

  private compile(
    key: string,
    binary: Uint8Array<ArrayBuffer>,
    imports: WebAssembly.Imports,
    optimized: number | undefined,
    functions?: () => readonly unknown[],
  ): WebAssembly.Exports {
    const module = new WebAssembly.Module(binary);
    const { exports } = new WebAssembly.Instance(module, imports);
    this.use({ key, module, binary, optimized, functions: functions ?? functionsOf(exports) });
    return exports;
  }

  private use(used: UsedModule): void {
    if (this.own) this.used.push(used);
  }
}

const keyOf = (name: string): string => `module-${name}`;

function restore({ code, binary }: SavedModule): WebAssembly.Module | undefined {
  return code.length === 0 ? undefined : machineCode()?.load(code.buffer, binary);
}

const functionsOf = (exports: WebAssembly.Exports) => (): unknown[] =>
  Object.values(exports).filter((each) => typeof each === "function");

function encodeModule({ binary, code, optimized }: SavedModule): Uint8Array {
  const out = new ByteWriter();
  out.unsigned(optimized);
  out.sized(binary);
  out.sized(code);
  return out.bytes;
}

function decodeModule(bytes: Uint8Array): SavedModule {
  const from = new ByteReader(bytes);
  const optimized = from.unsigned();
  // V8 wants buffers of their own.
  return { optimized, binary: Uint8Array.from(from.sized()), code: Uint8Array.from(from.sized()) };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
