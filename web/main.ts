/** The page: a command line, a terminal, and one machine at a time. `index.html#hello` starts a program at once. */
import { Terminal } from "@xterm/xterm";
import { PATH, programsNamed, SUGGESTIONS } from "./command.ts";
import type { FromWorker } from "./protocol.ts";
import { Session } from "./session.ts";

const ROWS = 30;
const COLUMNS = 100;
const ENVIRONMENT = { PATH: PATH.join(":"), HOME: "/root", TERM: "xterm-256color", PS1: "\\w # " };

function element<T extends HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`index.html has no ${selector}`);
  return found;
}

const form = element<HTMLFormElement>("form");
const command = element<HTMLInputElement>("#command");
const stopButton = element<HTMLButtonElement>("#stop");
const status = element("#status");
const terminal = new Terminal({ rows: ROWS, cols: COLUMNS, cursorBlink: true, scrollback: 5000 });
let session: Session | null = null;

function say(text: string): void {
  status.textContent = text;
}

function describeEnd(message: Exclude<FromWorker, { kind: "output" }>): string {
  if (message.kind === "refused") return `Not started: ${message.message}`;
  const { result } = message;
  const after = `after ${(message.milliseconds / 1000).toFixed(2)} s`;
  switch (result.kind) {
    case "exited":
      return `Ended ${after} with exit code ${result.code}.`;
    case "killed":
      return `Killed ${after} by signal ${result.signal}.`;
    case "limit":
      return `Stopped ${after}: ${result.what}.`;
    case "failed":
      return `Trapgate failed ${after}: ${result.report}`;
  }
}

function end(text: string): void {
  session = null;
  stopButton.disabled = true;
  say(text);
}

function start(root: Uint8Array): void {
  session?.stop();
  terminal.reset();
  const argv = command.value.trim().split(/\s+/);
  const name = argv[0]!;
  session = new Session(
    {
      kind: "run",
      program: programsNamed(name),
      argv,
      env: ENVIRONMENT,
      cwd: "/root",
      root,
      terminal: { rows: ROWS, columns: COLUMNS },
    },
    { output: (bytes, shown) => terminal.write(bytes, shown), ended: (message) => end(describeEnd(message)) },
  );
  stopButton.disabled = false;
  say(`Running ${name}`);
  terminal.focus();
}

async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function open(): Promise<void> {
  terminal.open(element("#terminal"));
  element("#suggestions").append(...SUGGESTIONS.map((text) => new Option(text, text)));
  command.value = decodeURIComponent(location.hash.slice(1)) || SUGGESTIONS[0];
  const root = await fetchBytes("root.tar");
  const encoder = new TextEncoder();
  terminal.onData((text) => session?.input(encoder.encode(text)));
  terminal.onBinary((text) => session?.input(Uint8Array.from(text, (one) => one.charCodeAt(0))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start(root);
  });
  stopButton.addEventListener("click", () => {
    session?.stop();
    end("Stopped.");
  });
  start(root);
}

open().catch((error: unknown) => say(error instanceof Error ? error.message : String(error)));
