/** Holds one machine with the wasm engine, away from the page's own thread; see protocol.ts. */
import { createWasmEngine } from "../emulator/wasm/wasm-engine.ts";
import { createMachine, ProgramError, SetUpError } from "../machine/index.ts";
import { BrowserHost } from "./browser-host.ts";
import "./decoder.ts";
import type { FromWorker, RunRequest, ToWorker } from "./protocol.ts";

/** A tab's share of the machine: docs/browser.md. */
const MEMORY = 256 << 20;

let host: BrowserHost | undefined;

const send = (message: FromWorker): void => postMessage(message);

async function run({ program, argv, env, cwd, root, terminal }: RunRequest): Promise<void> {
  host = new BrowserHost({
    write: (stream, bytes) => send({ kind: "output", stream, bytes }),
    ...(terminal && { terminal }),
  });
  const machine = createMachine({
    engine: createWasmEngine,
    host,
    memory: MEMORY,
    root: { kind: "tar", bytes: root },
    program,
    argv,
    env,
    cwd,
  });
  const start = performance.now();
  const result = await machine.run();
  send({ kind: "ended", result, milliseconds: performance.now() - start });
}

/** What a user can do something about is said in a line; anything else with the place where it came from. */
function explain(error: unknown): string {
  if (error instanceof ProgramError || error instanceof SetUpError || error instanceof RangeError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  switch (data.kind) {
    case "run":
      run(data).catch((error: unknown) => send({ kind: "refused", message: explain(error) }));
      break;
    case "input":
      host?.input(data.bytes);
      break;
    case "shown":
      host?.shown(data.count);
      break;
    case "resize":
      host?.resize(data.size);
      break;
  }
});
