/**
 * Names inside the kernel are byte strings: JavaScript strings in which every character is one byte, so that a name
 * that is no UTF-8 survives and two names are equal when their bytes are.
 */
import type { Task } from "../task/task.ts";
import { readCString } from "../mm/user-copy.ts";
import { PATH_MAX } from "../../abi/fcntl.ts";

export function fromBytes(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** A path name argument. @throws EFAULT ENAMETOOLONG */
export const readPath = (task: Task, address: number): string => fromBytes(readCString(task.memory, address, PATH_MAX));
