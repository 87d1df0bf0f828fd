/** Files that the programs work on: made once, the same on every machine, kept in build/bench/inputs. */
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../turns.mjs";
import { programSource } from "./c-source.mjs";

export const inputFolder = join(folder, "inputs");

/** Park and Miller's generator: below 2^31, and exact in a double. */
export function randomNumbers(seed) {
  return (below) => (seed = (seed * 48271) % 2147483647) % below;
}

const SYLLABLES = "ba con de fer gi hol in ju ka lu men nor o pra qui re sta ti un vel wor xen yt za ing ed er".split(
  " ",
);
const COMMON = "the of and to a in is that it was for on with as be at by this from or".split(" ");

/** A vocabulary in which early words are common, as in natural languages. */
function vocabulary(random) {
  const word = () => Array.from({ length: 1 + random(3) }, () => SYLLABLES[random(SYLLABLES.length)]).join("");
  return [...COMMON, ...Array.from({ length: 6000 }, word)];
}

/** Lines of about 70 characters, two of three with a piece of a line that was there before, as reports and logs have. */
function writeText(path, size) {
  const random = randomNumbers(1);
  const words = vocabulary(random);
  const pick = () =>
    words[random(4) === 0 ? random(COMMON.length) : Math.floor((random(1e6) ** 2 / 1e12) * words.length)];
  const earlier = [];
  const nextLine = () => {
    let line = random(3) > 0 && earlier.length > 0 ? earlier[random(earlier.length)].slice(0, 30 + random(40)) : "";
    while (line.length < 70) line += ` ${pick()}`;
    earlier[earlier.length < 500 ? earlier.length : random(500)] = line;
    return random(9) === 0 ? `${line} ${random(100000)}.\n` : `${line}\n`;
  };
  const file = openSync(path, "w");
  for (let written = 0; written < size;) {
    let chunk = "";
    while (chunk.length < 1 << 20) chunk += nextLine();
    written += writeSync(file, chunk.slice(0, size - written));
  }
  closeSync(file);
}

/** Lines of a number, a word and a number, in no order. */
function writeLines(path, count) {
  const random = randomNumbers(2);
  const words = vocabulary(random);
  const line = () => `${random(1e9)} ${words[random(words.length)]} ${random(1000)}\n`;
  writeFileSync(path, Array.from({ length: count }, line).join(""));
}

function writeCompressed(path, tool, source, ...flags) {
  const file = openSync(path, "w");
  const { status } = spawnSync(tool, [...flags, "-c", inputPath(source)], { stdio: ["ignore", file, "inherit"] });
  closeSync(file);
  if (status !== 0) throw new Error(`${tool} could not make ${path}`);
}

const MAKERS = {
  "text-50m": (path) => writeText(path, 50_000_000),
  "text-10m": (path) => writeText(path, 10_000_000),
  "text-4m": (path) => writeText(path, 4_000_000),
  "text-50m.gz": (path) => writeCompressed(path, "gzip", "text-50m"),
  "text-50m.xz": (path) => writeCompressed(path, "xz", "text-50m", "-1"),
  "lines-500k": (path) => writeLines(path, 500_000),
  "program.c": (path) => writeFileSync(path, programSource(randomNumbers(3))),
};

/** The path of an input, which is made when it is not there. */
export function inputPath(name) {
  const path = join(inputFolder, name);
  if (existsSync(path)) return path;
  mkdirSync(inputFolder, { recursive: true });
  const unfinished = `${path}.unfinished`;
  MAKERS[name](unfinished);
  renameSync(unfinished, path);
  return path;
}
