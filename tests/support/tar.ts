/** A tar archive (POSIX ustar) of a few files, as the root of a machine. */
import { S_IFDIR } from "../../abi/stat.ts";

const BLOCK = 512;

/** Path → contents, or S_IFDIR for a folder, whose path ends with a slash. Everything may be executed. */
export function tarOf(files: Readonly<Record<string, Uint8Array | typeof S_IFDIR>>): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [path, contents] of Object.entries(files)) {
    const bytes = contents instanceof Uint8Array ? contents : new Uint8Array(0);
    blocks.push(header(path, bytes.length, contents === S_IFDIR ? "5" : "0"));
    const padded = new Uint8Array(Math.ceil(bytes.length / BLOCK) * BLOCK);
    padded.set(bytes);
    blocks.push(padded);
  }
  blocks.push(new Uint8Array(2 * BLOCK));
  return new Uint8Array(Buffer.concat(blocks));
}

function header(path: string, size: number, type: string): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  const put = (offset: number, text: string): void => {
    for (let at = 0; at < text.length; at++) bytes[offset + at] = text.charCodeAt(at);
  };
  put(0, path);
  put(100, "0000755\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${size.toString(8).padStart(11, "0")}\0`);
  put(136, "00000000000\0");
  put(148, "        ");
  put(156, type);
  put(257, "ustar\x0000");
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return bytes;
}
