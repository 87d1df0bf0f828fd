/** Puts functions together to a WebAssembly module (WebAssembly core specification, section 5.5). */
import type { Assembler, ValueType } from "./assembler.ts";
import { ByteWriter } from "./byte-writer.ts";

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A function as it stands in a module. */
export interface FunctionBody {
  /** Declarations of locals, and code. */
  readonly bytes: Uint8Array;
  /** Offsets in it of branches that are hardly ever taken. */
  readonly unlikely: readonly number[];
}

interface Defined {
  readonly type: number;
  readonly body: FunctionBody;
  readonly exportName: string | undefined;
}

export class ModuleWriter {
  /**
   * Pages of 64 KiB that memory has at least. Accesses at constant addresses below cannot trap, which lets V8 make them
   * operands of other instructions.
   */
  leastMemory = 1;
  private readonly types: Signature[] = [];
  private readonly imports: { name: string; type: number }[] = [];
  private readonly functions: Defined[] = [];
  private tableName: string | undefined;
  private readonly importedTables: string[] = [];
  private readonly elements: { table: number; slot: number; function: number }[] = [];

  type(signature: Signature): number {
    const same = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((x, i) => x === b[i]);
    const found = this.types.findIndex(
      (type) => same(type.parameters, signature.parameters) && same(type.results, signature.results),
    );
    return found >= 0 ? found : this.types.push(signature) - 1;
  }

  /** Imports `env.name`. All imports come before the first `define`. */
  import(name: string, signature: Signature): number {
    return this.imports.push({ name, type: this.type(signature) }) - 1;
  }

  define(signature: Signature, body: Assembler, exportName?: string): number {
    // The body is written out at the end: it may still grow.
    const defined = {
      type: this.type(signature),
      exportName,
      get body() {
        return functionBody(body);
      },
    };
    this.functions.push(defined);
    return this.imports.length + this.functions.length - 1;
  }

  /** A function that is written already; its index. */
  defineBody(signature: Signature, body: FunctionBody, exportName?: string): number {
    this.functions.push({ type: this.type(signature), body, exportName });
    return this.imports.length + this.functions.length - 1;
  }

  /** Makes the module own and export a function table. */
  ownTable(exportName: string): void {
    this.tableName = exportName;
  }

  /** Makes the module import `env.NAME` as a function table; its number. The first one is what indirect calls use. */
  importTable(name: string): number {
    return this.importedTables.push(name) - 1;
  }

  /** Puts a function into an imported table when the module is instantiated. */
  place(table: number, slot: number, index: number): void {
    this.elements.push({ table, slot, function: index });
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    out.append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = (id: number, write: (to: ByteWriter) => void): void => {
      const body = new ByteWriter();
      write(body);
      out.byte(id);
      out.sized(body.bytes);
    };
    section(1, (to) => {
      to.unsigned(this.types.length);
      for (const { parameters, results } of this.types) {
        to.byte(0x60);
        to.sized(parameters);
        to.sized(results);
      }
    });
    section(2, (to) => {
      to.unsigned(this.imports.length + 1 + this.importedTables.length);
      to.name("env");
      to.name("memory");
      to.append([2, 0]);
      to.unsigned(this.leastMemory);
      for (const name of this.importedTables) {
        to.name("env");
        to.name(name);
        to.append([1, 0x70, 0, 0]);
      }
      for (const { name, type } of this.imports) {
        to.name("env");
        to.name(name);
        to.byte(0);
        to.unsigned(type);
      }
    });
    section(3, (to) => {
      to.unsigned(this.functions.length);
      for (const { type } of this.functions) to.unsigned(type);
    });
    if (this.tableName !== undefined) section(4, (to) => to.append([1, 0x70, 0, 16]));
    section(7, (to) => {
      const exported = this.functions.filter((defined) => defined.exportName !== undefined);
      to.unsigned(exported.length + (this.tableName === undefined ? 0 : 1));
      this.functions.forEach(({ exportName }, i) => {
        if (exportName === undefined) return;
        to.name(exportName);
        to.byte(0);
        to.unsigned(this.imports.length + i);
      });
      if (this.tableName !== undefined) {
        to.name(this.tableName);
        to.append([1, 0]);
      }
    });
    if (this.elements.length > 0) section(9, (to) => this.writeElements(to));
    const bodies = this.functions.map(({ body }) => body);
    if (bodies.some(({ unlikely }) => unlikely.length > 0)) {
      section(0, (to) => writeHints(to, bodies, this.imports.length));
    }
    section(10, (to) => {
      to.unsigned(this.functions.length);
      for (const { bytes } of bodies) to.sized(bytes);
    });
    return out.bytes.slice() as Uint8Array<ArrayBuffer>;
  }

  /** Active segments: functions that follow one another in places that do share one. */
  private writeElements(to: ByteWriter): void {
    const segments: { table: number; slot: number; functions: number[] }[] = [];
    for (const { table, slot, function: index } of this.elements) {
      const last = segments.at(-1);
      if (last?.table === table && slot === last.slot + last.functions.length) last.functions.push(index);
      else segments.push({ table, slot, functions: [index] });
    }
    to.unsigned(segments.length);
    for (const { table, slot, functions } of segments) {
      to.unsigned(2);
      to.unsigned(table);
      to.byte(0x41);
      to.signed(slot);
      to.append([0x0b, 0]);
      to.unsigned(functions.length);
      for (const index of functions) to.unsigned(index);
    }
  }
}

/**
 * The custom section metadata.code.branch_hint (WebAssembly's branch hinting proposal): per function the offsets of
 * branches, each with one byte 0 for unlikely.
 */
function writeHints(to: ByteWriter, bodies: readonly FunctionBody[], imports: number): void {
  to.name("metadata.code.branch_hint");
  to.unsigned(bodies.filter(({ unlikely }) => unlikely.length > 0).length);
  bodies.forEach(({ unlikely }, i) => {
    if (unlikely.length === 0) return;
    to.unsigned(imports + i);
    to.unsigned(unlikely.length);
    for (const offset of unlikely) {
      to.unsigned(offset);
      to.append([1, 0]);
    }
  });
}

/** Locals and code of a function. */
export function functionBody(body: Assembler): FunctionBody {
  const runs: [number, ValueType][] = [];
  for (const type of body.locals) {
    const last = runs.at(-1);
    if (last && last[1] === type) last[0]++;
    else runs.push([1, type]);
  }
  const out = new ByteWriter();
  out.unsigned(runs.length);
  for (const [count, type] of runs) {
    out.unsigned(count);
    out.byte(type);
  }
  const { code, unlikely } = body.body();
  const start = out.length;
  out.append(code);
  out.byte(0x0b);
  return { bytes: out.bytes.slice(), unlikely: unlikely.map((offset) => start + offset) };
}
