/**
 * Progress on standard error: what has ended, one line a program; on a terminal, below that, a line for each program
 * that runs, kept up to date in place.
 */
import { streamKind, writeFully } from "../machine/node/index.ts";

const UPDATE_MS = 200;
const CLEAR_LINE = "\x1b[2K";
const encoder = new TextEncoder();

export class Progress {
  private readonly isLive = streamKind(2) === "terminal";
  private readonly isQuiet: boolean;
  private readonly total: number;
  private readonly running = new Map<string, number>();
  private done = 0;
  /** Lines of the live part that are on the screen. */
  private shown = 0;
  private readonly timer: NodeJS.Timeout | null;

  constructor(total: number, isQuiet: boolean) {
    this.total = total;
    this.isQuiet = isQuiet;
    this.timer = this.isLive && !isQuiet ? setInterval(() => this.draw([]), UPDATE_MS) : null;
  }

  start(title: string): void {
    this.running.set(title, performance.now());
    this.draw([]);
  }

  /** A program has ended, with these lines about it. */
  end(title: string, lines: readonly string[]): void {
    this.running.delete(title);
    this.done++;
    this.draw(lines);
  }

  /** Takes the live part away for good. */
  close(): void {
    if (this.timer) clearInterval(this.timer);
    this.running.clear();
    this.draw([]);
  }

  private draw(lines: readonly string[]): void {
    if (this.isQuiet) return;
    const live = this.isLive ? this.liveLines() : [];
    const text = [...lines, ...live].map((line) => `${line}\n`).join("");
    write(eraseAbove(this.shown) + text);
    this.shown = live.length;
  }

  private liveLines(): string[] {
    const now = performance.now();
    const width = (process.stderr.columns || 80) - 1;
    return [...this.running].map(([title, since]) => {
      const seconds = Math.floor((now - since) / 1000);
      const line = `[${this.done}/${this.total}] ${title}${seconds > 0 ? ` (${seconds} s)` : ""}`;
      return line.length <= width ? line : `${line.slice(0, width - 3)}...`;
    });
  }
}

function eraseAbove(count: number): string {
  return `\x1b[1A${CLEAR_LINE}`.repeat(count);
}

function write(text: string): void {
  if (text !== "") writeFully(2, encoder.encode(text));
}
