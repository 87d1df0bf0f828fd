/** build/web as a site that one browser sees, and programs run in it by the worker that the page uses as well. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright";
import type { MachineResult } from "../../machine/index.ts";
import type { FromWorker, RunRequest } from "../../web/protocol.ts";
import { root } from "./chromium.ts";

const files = join(root, "build/web");
export const SITE = "http://trapgate.test/";

/** Why there is nothing to open; undefined where there is. */
export const unbuilt: string | undefined = existsSync(join(files, "root.tar"))
  ? undefined
  : "build/web is missing: run `node scripts/build-web.mjs`";

export interface PageRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly result: MachineResult;
  /** Of the whole run, seen from the worker. */
  readonly milliseconds: number;
}

/** A page without scripts on the site; what the page and its workers ask for is answered from build/web. */
export async function openSite(browser: Browser): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
  await page.route(`${SITE}**`, async (route) => {
    const path = join(files, new URL(route.request().url()).pathname);
    if (path.endsWith("/empty.html")) await route.fulfill({ contentType: "text/html", body: "<!doctype html>" });
    else if (existsSync(path)) await route.fulfill({ path });
    else await route.fulfill({ status: 404 });
  });
  await page.goto(`${SITE}empty.html`);
  return page;
}

/** Runs a program of root.tar in a new worker. Rejects with what the worker said when it could not be started. */
export function runInPage(page: Page, argv: readonly string[], env: Record<string, string> = {}): Promise<PageRun> {
  const request: Omit<RunRequest, "root"> = { kind: "run", program: argv[0]!, argv, env, cwd: "/root" };
  return page.evaluate(async (words) => {
    const site = window as { rootTar?: Uint8Array };
    site.rootTar ??= new Uint8Array(await (await fetch("root.tar")).arrayBuffer());
    const tar = site.rootTar;
    const worker = new Worker("worker.js", { type: "module" });
    const decoders = [new TextDecoder(), new TextDecoder()] as const;
    const texts = ["", ""] as [string, string];
    try {
      return await new Promise<PageRun>((resolve, reject) => {
        worker.onerror = ({ message }) => reject(new Error(`worker.js: ${message}`));
        worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
          if (data.kind === "output") {
            texts[data.stream - 1]! += decoders[data.stream - 1]!.decode(data.bytes, { stream: true });
          } else if (data.kind === "refused") reject(new Error(data.message));
          else resolve({ ...data, stdout: texts[0], stderr: texts[1] });
        };
        worker.postMessage({ ...words, root: tar });
      });
    } finally {
      worker.terminate();
    }
  }, request);
}
