/**
 * Vitest's browser mode for the engine contract: the test files are those of emulator/contract, as they are.
 *
 *     npx vitest run --config tests/browser/contract.config.ts
 *
 * Two of their modules need Node and have a stand-in: the list of engines (Unicorn is native), and the assembler, which
 * the page asks the server for.
 */
import { playwright } from "@vitest/browser-playwright";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vitest/config";
import { assemble } from "../../emulator/contract/assemble.ts";
import { launchOptions, root } from "./chromium.ts";
import { ASSEMBLE_PATH } from "./assemble.ts";

/** Modules by the end of the importing path and the name they are imported by. */
const STAND_INS: readonly { readonly importer: RegExp; readonly name: RegExp; readonly instead: string }[] = [
  { importer: /\/emulator\/contract\//, name: /\/engines\.ts$/, instead: "tests/browser/engines.ts" },
  { importer: /\/emulator\/contract\//, name: /\/assemble\.ts$/, instead: "tests/browser/assemble.ts" },
  { importer: /\/web\//, name: /^iced-x86$/, instead: "build/web/iced-x86.js" },
];

const standIns: Plugin = {
  name: "stand-ins",
  enforce: "pre",
  resolveId(name, importer = "") {
    const found = STAND_INS.find((row) => row.name.test(name) && row.importer.test(importer));
    return found && join(root, found.instead);
  },
};

/** Answers a POST of source with the machine code, and 400 with what the assembler said. */
const assembler: Plugin = {
  name: "assembler",
  configureServer(server) {
    server.middlewares.use(ASSEMBLE_PATH, (request, response) => {
      let source = "";
      request.setEncoding("utf8").on("data", (text: string) => (source += text));
      request.on("end", () => {
        try {
          response.end(assemble(source));
        } catch (error) {
          response.statusCode = 400;
          response.end(String(error));
        }
      });
    });
  },
};

const config = defineConfig({
  root,
  cacheDir: join(root, "build/vite"),
  plugins: [standIns, assembler],
  test: {
    include: ["emulator/contract/*.test.ts"],
    setupFiles: [join(root, "web/decoder.ts")],
    testTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      fileParallelism: false,
      api: { host: "127.0.0.1" },
      provider: playwright({ launchOptions: launchOptions() }),
      instances: [{ browser: "chromium" }],
    },
  },
});

export { config as default };
