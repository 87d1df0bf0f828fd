/**
 * Makes the text form of a translated function readable (WebAssembly core specification, section 6): locals that hold
 * registers get their names, and addresses, calls and places in the engine's state a comment. The result is still valid.
 */
import type { Layout } from "../layout.ts";
import { RUNTIME_FUNCTIONS } from "../runtime/signatures.ts";
import { recordField, stateName, tableName } from "./state-names.ts";

export interface Annotation {
  readonly layout: Layout;
  /** Its parameter is a record of the interpreter, not the entry of a region. */
  readonly isHandler: boolean;
  /** A guest address in words, if the number is one. */
  readonly addressName: (address: bigint) => string | undefined;
}

const RUNTIME = Object.keys(RUNTIME_FUNCTIONS);
/** A local set from a constant address, and stored to one. */
const LOCAL_LOAD = /\n +i32\.const 0\n +\w+\.load(?: offset=(\d+))?(?: align=\d+)?\n +local\.set (\d+)(?=\n)/g;
const LOCAL_STORE = /\n +i32\.const 0\n +local\.get (\d+)\n +\w+\.store(?: offset=(\d+))?/g;
const REGISTER = /^(r\w+|xmm\d+|ymm\d+_high|flags_\w+|budget)$/;

/** @param text of a module with one function, one instruction a line */
export function annotate(text: string, annotation: Annotation): string {
  const named = withNames(text, localNames(text, annotation));
  const lines = named.split("\n");
  return lines
    .map((line, i) => {
      const comment = commentOn(line, lines[i - 1] ?? "", lines[i - 2] ?? "", annotation);
      return comment === undefined ? line : `${line}  ;; ${comment}`;
    })
    .join("\n");
}

/** What locals hold. A handler's are for the moment only. */
function localNames(text: string, { isHandler }: Annotation): Map<number, string> {
  const names = new Map([[0, isHandler ? "record" : "entry"]]);
  if (isHandler) return names;
  const add = (local: string, address: string | undefined): void => {
    const name = stateName(Number(address ?? 0));
    if (name !== undefined && REGISTER.test(name) && !names.has(Number(local)) && ![...names.values()].includes(name)) {
      names.set(Number(local), name);
    }
  };
  for (const [, local, address] of text.matchAll(LOCAL_STORE)) add(local!, address);
  for (const [, address, local] of text.matchAll(LOCAL_LOAD)) add(local!, address);
  const status = /\n {4}local\.get (\d+)\)/.exec(text)?.[1];
  if (status !== undefined && !names.has(Number(status))) names.set(Number(status), "status");
  return names;
}

function withNames(text: string, names: ReadonlyMap<number, string>): string {
  return text
    .replace(/^( {2}\(func .*)\(param i32\)/m, `$1(param $${names.get(0)} i32)`)
    .replace(/^ {4}\(local ([^)]*)\)/m, (_, types: string) => `    ${declarations(types.split(" "), names)}`)
    .replace(/\blocal\.(get|set|tee) (\d+)/g, (whole, operation: string, local: string) => {
      const name = names.get(Number(local));
      return name === undefined ? whole : `local.${operation} $${name}`;
    });
}

/** Locals without a name stand together. */
function declarations(types: readonly string[], names: ReadonlyMap<number, string>): string {
  const parts: string[] = [];
  let unnamed: string[] = [];
  const flush = (): void => {
    if (unnamed.length > 0) parts.push(`(local ${unnamed.join(" ")})`);
    unnamed = [];
  };
  types.forEach((type, i) => {
    const name = names.get(i + 1);
    if (name === undefined) unnamed.push(type);
    else {
      flush();
      parts.push(`(local $${name} ${type})`);
    }
  });
  flush();
  return parts.join(" ");
}

function commentOn(line: string, before: string, twoBefore: string, annotation: Annotation): string | undefined {
  const constant = /i64\.const (-?\d+)$/.exec(line)?.[1];
  if (constant !== undefined) return annotation.addressName(BigInt.asUintN(64, BigInt(constant)));
  const callee = /call_indirect/.test(line) && /i32\.const (\d+)$/.exec(before)?.[1];
  if (callee) return RUNTIME[Number(callee)];
  const access = /\.(load|store)\w*(?: offset=(\d+))?/.exec(line);
  if (!access) return undefined;
  const base = access[1] === "load" ? before : twoBefore;
  const offset = Number(access[2] ?? 0);
  if (/i32\.const 0$/.test(base)) return stateName(offset) ?? tableName(offset, annotation.layout);
  return annotation.isHandler && /local\.get \$record$/.test(base) ? recordField(offset) : undefined;
}
