/** The files that the compared programs work on: the same bytes every time. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SeededEntropy } from "../../machine/seeded-entropy.ts";

const TEXT = `The quick brown fox jumps over the lazy dog.
Pack my box with five dozen liquor jugs, a.b says.

  How vexingly quick	daft zebras jump;
the five boxing wizards jump quickly.
Sphinx of black quartz, judge my vow: 42 times 17 is 714.
Again the quick brown fox, again the lazy dog.
A line without an ending follows
and this is it`;

const WORDS = (
  "pear apple fig banana cherry apple date elderberry fig grape honeydew apple kiwi lemon mango nectarine " +
  "orange papaya quince raspberry strawberry tangerine ugli vanilla watermelon fig banana zucchini"
).split(" ");

const TABLE = [
  "name,amount,city",
  "ann,30,oslo",
  "bob,4,rome",
  "ann,12,paris",
  "cy,100,oslo",
  "bob,4,lima",
  "dee,7,rome",
];

const LARGE = 50_000_000;

/** Fills an empty folder. */
export function writeFixtures(folder: string): void {
  const write = (name: string, data: string | Uint8Array): void => writeFileSync(join(folder, name), data);
  write("text.txt", TEXT);
  write("words.txt", `${WORDS.join("\n")}\n`);
  write("numbers.txt", `${Array.from({ length: 60 }, (_, i) => ((i * 7919) % 101) - 20).join("\n")}\n`);
  write("table.csv", `${TABLE.join("\n")}\n`);
  write("bytes.bin", noise(300_000));
  for (const sub of ["tree/sub/deep", "tree/empty", "tree/.dot"]) mkdirSync(join(folder, sub), { recursive: true });
  write("tree/one.txt", "one needle here\n");
  write("tree/two.txt", "two\nlines\n");
  write("tree/sub/three.txt", "three\n".repeat(500));
  write("tree/sub/deep/four.bin", noise(5000));
  write("tree/sub/deep/five.txt", "a needle\nin the deep\n");
  write("tree/.dot/hidden", "hidden\n");
  write("tree/nothing", "");
}

/** 50 MB of noise, and as much text as 800,000 numbered lines make. */
export function writeLargeFixtures(folder: string): void {
  const block = noise(1 << 20);
  const large = new Uint8Array(LARGE);
  for (let at = 0; at < LARGE; at += block.length) {
    block[0] = at >>> 20;
    large.set(block.subarray(0, Math.min(block.length, LARGE - at)), at);
  }
  writeFileSync(join(folder, "large.bin"), large);
  const lines = Array.from(
    { length: 800_000 },
    (_, i) => `${i} line number ${(i * 7919) % 1_000_003} of the large text`,
  );
  writeFileSync(join(folder, "large.txt"), `${lines.join("\n")}\n`);
}

function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  new SeededEntropy(20260101).fill(bytes);
  return bytes;
}
