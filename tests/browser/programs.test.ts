/** Guest programs in a page say what the same programs say on Linux. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, missing, root } from "./chromium.ts";
import { openSite, runInPage, unbuilt } from "./site.ts";

const reason = missing ?? unbuilt;
if (reason) console.log(`tests/browser/programs is skipped: ${reason}`);

const guests = join(root, "build/guests");
const kernelFolder = join(root, "build/bench/kernels");
const kernels = existsSync(kernelFolder) ? readdirSync(kernelFolder).sort() : [];

/** What a guest program prints here, natively or in the machine of the command line, with its exit code. */
function runHere(path: string, args: readonly string[], prefix: readonly string[] = []) {
  const [program, ...words] = [...prefix, resolve(guests, path), ...args];
  const { status, stdout, stderr } = spawnSync(program!, words, { encoding: "utf8", timeout: 60_000 });
  return { code: status, stdout, stderr };
}

const SCRIPT = `
for i in 1 2 3 4 5 6; do echo $i $((i * i)); done | sort -r | awk '{ sum += $2 } END { print NR, sum }'
cd /tmp; cat /root/LICENSE | tr -cs A-Za-z '\\n' | sort | uniq -c | sort -k1,1nr -k2 | head -n 5
md5sum < /root/LICENSE; gzip -c < /root/LICENSE > l.gz && gunzip -c l.gz | sha256sum; rm l.gz; ls | wc -l
(exit 3); echo $?
`;

describe.skipIf(reason)("guest programs in a page", () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launch();
    page = await openSite(browser);
  });
  afterAll(() => browser?.close());

  async function run(path: string, ...args: string[]) {
    const { result, stdout, stderr } = await runInPage(page, [path, ...args], { PATH: "/bin" });
    return { code: result.kind === "exited" ? result.code : result, stdout, stderr };
  }

  test.each(["hello", "fork-tree", "pipes", "signals", "threads-by-clone", "faults"])(
    "%s prints what it prints on Linux",
    async (name) => {
      expect(await run(`/guests/${name}`)).toEqual(runHere(name, []));
    },
  );

  test("clone2 chooses the same pids as in the machine of the command line", async () => {
    const here = runHere("clone2", [], [process.execPath, join(root, "bin/trapgate"), "run"]);
    expect(here.stdout).toContain("1100 1");
    expect(await run("/guests/clone2")).toEqual(here);
  });

  test("a busybox script with pipes, files and checksums prints what it prints on Linux", async () => {
    const busybox = join(root, ".private/debian/trixie/usr/bin/busybox");
    const script = SCRIPT.replaceAll("/root/LICENSE", join(root, "LICENSE")).replace("cd /tmp;", "cd $(mktemp -d);");
    const { status, stdout } = spawnSync(busybox, ["sh", "-c", script], { encoding: "utf8" });
    expect(stdout).toContain(" 91\n");
    expect(await run("/bin/sh", "-c", SCRIPT)).toEqual({ code: status, stdout, stderr: "" });
  });

  test("the machine has 256 MiB", async () => {
    const { stdout } = await run("/bin/grep", "MemTotal", "/proc/meminfo");
    expect(stdout).toMatch(/^MemTotal: +262144 kB\n$/);
  });

  test("a program that is not there is refused with the reason", async () => {
    await expect(run("/guests/nothing")).rejects.toThrow("/guests/nothing: No such file or directory");
  });

  test("a program killed by a signal says so", async () => {
    expect(await run("/bin/sh", "-c", "kill -9 $$")).toMatchObject({ code: { kind: "killed", signal: 9 } });
  });

  test.each(["integer", "sieve", "sort"])("bench/%s finds its own result right", async (name) => {
    expect(await run(`/guests/bench/${name}`, "3")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  /** The second word is the time. */
  const checksum = (text: string): string => text.split(" ")[0]!;

  test.skipIf(kernels.length === 0).each(kernels)("the kernel %s computes what it computes on Linux", async (name) => {
    const native = runHere(join(kernelFolder, name), ["2"]);
    expect(native.stdout).toMatch(/^[0-9a-f]+ \d+\n$/);
    const inPage = await run(`/guests/bench/kernels/${name}`, "2");
    expect({ ...inPage, stdout: checksum(inPage.stdout) }).toEqual({ ...native, stdout: checksum(native.stdout) });
  });
});
