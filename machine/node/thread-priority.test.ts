import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { build } from "esbuild";

const PROGRAM = `
import { readdirSync } from "node:fs";
import { getPriority } from "node:os";
import { putThisThreadFirst } from ${JSON.stringify(fileURLToPath(new URL("thread-priority.ts", import.meta.url)))};
putThisThreadFirst();
const others = readdirSync("/proc/self/task").map(Number).filter((thread) => thread !== process.pid);
console.log(getPriority(), others.length > 0, Math.min(...others.map((thread) => getPriority(thread))));
`;

test("the other threads of a process have to wait", async () => {
  const bundle = await build({
    stdin: { contents: PROGRAM, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    ...{ bundle: true, platform: "node", format: "esm", write: false },
  });
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", bundle.outputFiles![0]!.text], {
    encoding: "utf8",
  });
  const [own, hasOthers, least] = stdout.trim().split(" ");
  expect(hasOthers).toBe("true");
  expect(Number(least)).toBe(10);
  expect(Number(own)).toBeLessThan(10);
});
