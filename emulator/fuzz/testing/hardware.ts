/** The host's processor: builds the native harness and gives batches to it. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeOutput, encodeBatch, type Batch, type HardwareOutput } from "../protocol.ts";

const SOURCES = join(import.meta.dirname, "..", "native");
const BUILD = join(import.meta.dirname, "..", "..", "..", "build", "fuzz");
/** No library, no relocations, and an address that no guest register holds. */
const FLAGS = [
  ..."-O2 -std=gnu11 -Wall -Wextra -ffreestanding -fno-stack-protector -fcf-protection=none".split(" "),
  ..."-fpie -static -no-pie -nostdlib -Wl,-Ttext-segment=0x5ea412340000 -Wl,-z,noexecstack -Wl,--build-id=none".split(
    " ",
  ),
];

/** Why this host cannot judge; undefined when it can. */
export function hardwareMissing(): string | undefined {
  if (process.arch !== "x64" || process.platform !== "linux")
    return `the host is ${process.platform} on ${process.arch}`;
  return compiler() === undefined ? "there is no C compiler" : undefined;
}

function compiler(): string | undefined {
  for (const name of [process.env["CC"] ?? "cc", "gcc", "clang"]) {
    if (spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0) return name;
  }
  return undefined;
}

/** Builds the harness where its sources are newer; returns its path. */
export function buildHarness(): string {
  const binary = join(BUILD, "harness");
  const sources = ["harness.c", "freestanding.h"].map((name) => join(SOURCES, name));
  const newest = Math.max(...sources.map((name) => statSync(name).mtimeMs));
  if (existsSync(binary) && statSync(binary).mtimeMs > newest) return binary;
  mkdirSync(BUILD, { recursive: true });
  execFileSync(compiler()!, [...FLAGS, "-o", binary, sources[0]!]);
  return binary;
}

export interface HardwareRun extends HardwareOutput {
  /** How the harness ended, if not as it should: the case behind the last result is to blame. */
  readonly death?: string;
}

/** The harness as a server: a process for each batch, made by one so small that this costs little. */
export class Hardware {
  private readonly input: number;
  private readonly output: number;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), "trapgate-fuzz-"));
    const [to, from] = ["to", "from"].map((name) => join(folder, name)) as [string, string];
    try {
      execFileSync("mkfifo", [to, from]);
      spawn(buildHarness(), [to, from], { stdio: ["ignore", "ignore", "inherit"] }).unref();
      this.input = openSync(to, "w");
      this.output = openSync(from, "r");
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  run(batch: Batch): HardwareRun {
    const bytes = encodeBatch(batch);
    for (let done = 0; done < bytes.length;) done += writeSync(this.input, bytes, done);
    const head = this.read(8);
    const [status, size] = [head.readUInt32LE(0), head.readUInt32LE(4)];
    const output = decodeOutput(this.read(size));
    if (output.complete) return output;
    const signal = status & 127;
    return { ...output, death: signal ? `signal ${signal}` : `exit status ${status >> 8}` };
  }

  private read(size: number): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    for (let done = 0; done < size;) {
      const count = readSync(this.output, bytes, done, size - done, null);
      if (count === 0) throw new Error("the native harness has ended");
      done += count;
    }
    return bytes;
  }

  dispose(): void {
    closeSync(this.input);
    closeSync(this.output);
  }
}
