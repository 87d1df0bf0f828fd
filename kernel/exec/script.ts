/** Interpreter scripts: files that begin with #! (execve(2), "Interpreter scripts"). */
import { ENOEXEC } from "../../abi/errno.ts";

/** Bytes of the first line that count (BINPRM_BUF_SIZE). */
export const SCRIPT_LINE_SIZE = 256;
/** Scripts whose interpreter is a script, and so on. */
export const MAX_SCRIPT_DEPTH = 4;

export interface ScriptLine {
  interpreter: string;
  /** The single optional argument. */
  argument: string | null;
}

export function isScript(start: Uint8Array): boolean {
  return start[0] === 0x23 && start[1] === 0x21;
}

/** @throws ENOEXEC if the line is empty, or cut off within the interpreter's name */
export function parseScriptLine(start: Uint8Array): ScriptLine {
  const newline = start.indexOf(10);
  const nul = start.indexOf(0);
  let end = newline >= 0 ? newline : start.length;
  if (nul >= 0 && nul < end) end = nul;
  const line = String.fromCharCode(...start.subarray(2, end)).replace(/^[ \t]+|[ \t]+$/g, "");
  if (line === "") throw ENOEXEC;
  const [, interpreter = "", argument] = /^([^ \t]+)(?:[ \t]+(.*))?$/s.exec(line) ?? [];
  const cut = newline < 0 && nul < 0 && start.length >= SCRIPT_LINE_SIZE;
  if (interpreter === "" || (cut && argument === undefined)) throw ENOEXEC;
  return { interpreter, argument: argument === undefined || argument === "" ? null : argument };
}
