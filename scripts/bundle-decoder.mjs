/**
 * Makes a decoder of iced-x86 that has what emulator/wasm/decoder-parts.ts lists and nothing else: the whole package takes
 * some 40 ms to load, most of that for 760 exported functions and for names of things that only an assembler needs.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const path = createRequire(import.meta.url).resolve("iced-x86");

/**
 * The script of the decoder, which reads its WebAssembly from the file `wasmName` beside it, and that WebAssembly.
 *
 * @param esbuild the module
 * @param root the project's folder
 */
export async function makeDecoder(esbuild, root, wasmName) {
  const parts = await loadParts(esbuild, root);
  const result = await esbuild.build({
    stdin: { contents: moduleSource(parts, wasmName), sourcefile: "iced-x86.mjs", loader: "js" },
    write: false,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minifyWhitespace: true,
    minifySyntax: true,
    charset: "ascii",
    logLevel: "warning",
  });
  const script = result.outputFiles[0].text;
  const used = new Set([...script.matchAll(/\bwasm\.(\w+)/g)].map(([, name]) => name));
  const wasm = withExports(readFileSync(join(dirname(path), "iced_x86_bg.wasm")), used);
  return { script, wasm };
}

async function loadParts(esbuild, root) {
  const source = readFileSync(join(root, "emulator/wasm/decoder-parts.ts"), "utf8");
  const { code } = await esbuild.transform(source, { loader: "ts" });
  return import(`data:text/javascript,${encodeURIComponent(code)}`);
}

/** The package's script as an ES module with the wanted members only, so that esbuild drops what is left unused. */
function moduleSource(parts, wasmName) {
  const members = {
    Decoder: parts.DECODER_MEMBERS,
    Instruction: parts.INSTRUCTION_MEMBERS,
    RegisterExt: parts.REGISTER_MEMBERS,
    MemorySizeExt: parts.MEMORY_SIZE_MEMBERS,
  };
  const { Code } = createRequire(import.meta.url)("iced-x86");
  const names = Array.from({ length: Object.keys(Code).length / 2 }, (_, code) => Code[code]);
  const classes = Object.keys(members);
  const source = readFileSync(path, "utf8")
    .replace(/^ *\/?\*.*\n/gm, "")
    .replace(/^class (\w+) \{\n([^]*?)^\}\n/gm, (_, name, body) => `class ${name} {\n${chosen(body, members[name])}}\n`)
    .replace(/^module\.exports\.(\w+) = Object\.freeze\(/gm, "const $1 = /* @__PURE__ */ Object.freeze(")
    .replace(/^module\.exports\.([A-Z]\w+) = \1;$/gm, "")
    .replace(/^module\.exports\.(?=__wbg_|__wbindgen_)/gm, "imports.__wbindgen_placeholder__.")
    .replace("= module.exports;", "= {};")
    .replace(/^module\.exports\.getIcedFeatures = function/m, "const getIcedFeatures = function")
    .replace("module.exports.__wasm = wasm;", "")
    .replace("iced_x86_bg.wasm", wasmName);
  if (source.includes("module.exports")) throw new Error("this version of iced-x86 is not put together as expected");
  const list = `"${names.join(" ")}"`;
  return `${source}
const codeNames = ${list}.split(" ");
export { ${[...classes, ...parts.ENUMS].join(", ")}, codeNames as Code };`;
}

/** The members of a class that are wanted and those that it needs itself; all where nothing is said. */
function chosen(body, wanted) {
  if (!wanted) return body;
  const own = ["constructor", "__wrap", "__destroy_into_raw", "free", ...wanted];
  return body.replace(/^ {4}(?:(?:static|get|set) )?(\w+)\([^\n]*\) \{\n[^]*?^ {4}\}\n/gm, (text, name) =>
    own.includes(name) ? text : "",
  );
}

/** A WebAssembly module without the exports that are not in a list, and without its custom sections. */
function withExports(bytes, names) {
  let at = 8;
  const readNumber = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const out = [bytes.subarray(0, 8)];
  while (at < bytes.length) {
    const start = at;
    const id = bytes[at++];
    const end = readNumber() + at;
    if (id === 7) {
      const kept = [];
      for (let count = readNumber(); count > 0; count--) {
        const first = at;
        const nameEnd = readNumber() + at;
        const name = bytes.toString("latin1", at, nameEnd);
        at = nameEnd + 1;
        readNumber();
        if (names.has(name)) kept.push(bytes.subarray(first, at));
      }
      const content = Buffer.concat([number(kept.length), ...kept]);
      out.push(Buffer.from([7]), number(content.length), content);
    } else if (id !== 0) out.push(bytes.subarray(start, end));
    at = end;
  }
  return Buffer.concat(out);
}

/** Unsigned LEB128. */
function number(value) {
  const bytes = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}
