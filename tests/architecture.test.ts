/** Reads the import graph, so that nobody has to remember which folder may know which (docs/architecture.md). */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const folders = ["abi", "emulator", "kernel", "machine", "cli", "web"];

interface Import {
  readonly from: string;
  /** A path from the root, or the name of a module that is not ours. */
  readonly to: string;
  /** Types leave no trace in what runs. */
  readonly isType: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`);
}

/** The source without comments, so that prose may speak of anything. */
function codeOf(path: string): string {
  return readFileSync(join(root, path), "utf8").replace(/\/\*[^]*?\*\/|(?<![:"'`])\/\/.*$/gm, "");
}

function importsOf(path: string): Import[] {
  const statement =
    /^\s*(?:import|export)\s+(type\s)?(?:[^;"']*?\bfrom\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  return [...codeOf(path).matchAll(statement)].map(([, type, name, dynamicName]) => {
    const target = (name ?? dynamicName)!;
    const to = target.startsWith(".") ? relative(root, resolve(root, dirname(path), target)) : target;
    return { from: path, to, isType: type !== undefined };
  });
}

/** emulator/contract is what every engine is tested with. */
const isTest = (path: string): boolean => path.endsWith(".test.ts") || /^emulator\/contract\/|\/testing\//.test(path);
const files = folders.flatMap(sourceFiles).filter((path) => !isTest(path));
const imports = files.flatMap(importsOf);

/** What each folder may import; the first row that fits the importing file counts. */
const layers: readonly { readonly of: RegExp; readonly may: RegExp; readonly rule: string }[] = [
  { of: /^abi\//, may: /^abi\//, rule: "abi imports nothing" },
  {
    of: /^emulator\/unicorn\//,
    may: /^(emulator\/|abi\/|node:)/,
    rule: "the unicorn engine knows Node and the contract",
  },
  {
    of: /^emulator\/wasm\//,
    may: /^(emulator\/(?!unicorn\/)|abi\/)|^iced-x86$/,
    rule: "the wasm engine knows the contract and iced-x86, and runs where there is no Node",
  },
  {
    of: /^emulator\//,
    may: /^(emulator\/(?!unicorn\/)|abi\/)/,
    rule: "emulator imports nothing of ours but numbers of abi",
  },
  {
    of: /^kernel\//,
    may: /^(kernel\/|abi\/|emulator\/(engine|registers|physical-memory)\.ts$)/,
    rule: "kernel imports abi and the engine contract",
  },
  {
    of: /^machine\/node\//,
    may: /^(machine|kernel|emulator|abi)\/|^node:/,
    rule: "machine/node puts all together in Node",
  },
  {
    of: /^machine\//,
    may: /^(machine\/(?!node\/)|kernel\/|abi\/|emulator\/(?!unicorn\/))/,
    rule: "machine outside machine/node knows neither Node nor an engine that needs it",
  },
  {
    of: /^web\/(worker|browser-host|decoder|iced)\.ts$/,
    may: /^(web\/|machine\/(?!node\/)|kernel\/|emulator\/(?!unicorn\/)|abi\/)|^iced-x86$/,
    rule: "the worker puts all together where there is no Node",
  },
  { of: /^web\//, may: /^web\/|^machine\/index\.ts$|^@xterm\/xterm$/, rule: "the page knows messages and a terminal" },
  { of: /^cli\//, may: /^(cli|machine|abi)\/|^node:|^wabt$/, rule: "cli uses the library like a stranger" },
];

describe("layers", () => {
  for (const folder of folders) {
    it(`${folder} imports only what its layer may know`, () => {
      const wrong = imports
        .filter(({ from }) => from.startsWith(`${folder}/`))
        .flatMap(({ from, to }) => {
          const layer = layers.find(({ of }) => of.test(from))!;
          return layer.may.test(to) ? [] : [`${from} imports ${to}: ${layer.rule}`];
        });
      expect(wrong).toEqual([]);
    });
  }

  it("nothing of ours imports a package, but the wasm engine its decoder, the page its terminal and debug its printer", () => {
    const packages = imports.filter(({ to }) => !to.startsWith("node:") && !folders.includes(to.split("/")[0]!));
    const allowed: Readonly<Record<string, RegExp>> = {
      "iced-x86": /^(emulator\/wasm|web)\//,
      "@xterm/xterm": /^web\/main\.ts$/,
      wabt: /^cli\/wasm-text\.ts$/,
    };
    expect(packages.filter(({ from, to }) => !allowed[to]?.test(from))).toEqual([]);
  });
});

describe("the kernel is a function of its world", () => {
  const forbidden: readonly [RegExp, string][] = [
    [/\bnew Date\b|\bDate\.(now|parse|UTC)\b/, "Date"],
    [/\bMath\.random\b/, "Math.random"],
    [/\bperformance\.now\b/, "performance"],
    [/\bprocess\.(env|argv|std\w+|exit\w*|hrtime|nextTick|cwd|platform|on|emit\w*)\b/, "process"],
    [/\b(window|document|globalThis|navigator|localStorage)\./, "the DOM"],
    [/\b(setTimeout|setInterval|setImmediate|queueMicrotask|fetch|require)\(/, "the host's event loop"],
    [/\bconsole\.(log|error|warn|info|debug)\(/, "the host's console"],
    [/\b(async|await|yield\*?)\s/, "promises (a blocked call is plain data)"],
  ];
  for (const [pattern, what] of forbidden) {
    it(`kernel and abi never mention ${what}`, () => {
      const isPlain = (path: string): boolean => /^(kernel|abi)\//.test(path);
      // Generators that list things are welcome, they hold nothing over a sleep.
      const wrong = files.filter((path) => isPlain(path) && pattern.test(codeOf(path).replace(/\byield\*?\s/g, "")));
      expect(wrong).toEqual([]);
    });
  }
});

describe("shape", () => {
  it("there are no import cycles", () => {
    expect(findCycles()).toEqual([]);
  });

  it("nine of ten files have fewer than 500 lines", () => {
    const sizes = files.map((path) => ({ path, lines: readFileSync(join(root, path), "utf8").split("\n").length }));
    const long = sizes.filter(({ lines }) => lines >= 500).map(({ path, lines }) => `${path}: ${lines}`);
    expect(long.length, long.join("\n")).toBeLessThanOrEqual(files.length / 10);
  });

  it("no file is named for being a heap of things", () => {
    expect(files.filter((path) => /(^|\/)(utils?|helpers?|misc|common)\.ts$/.test(path))).toEqual([]);
  });

  it("nothing is exported as default", () => {
    expect(files.filter((path) => /^export default\b/m.test(codeOf(path)))).toEqual([]);
  });
});

/** Every strongly connected group of two or more files, by Tarjan's algorithm; types do not count. */
function findCycles(): string[][] {
  const edges = new Map(files.map((path) => [path, [] as string[]]));
  for (const { from, to, isType } of imports) if (!isType && edges.has(to)) edges.get(from)!.push(to);
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const next of edges.get(file)!) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, low.get(next)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1) cycles.push(group.sort());
  };
  for (const file of files) if (!index.has(file)) visit(file);
  return cycles;
}
