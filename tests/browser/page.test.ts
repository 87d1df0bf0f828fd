/** The page as a person meets it. */
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, missing } from "./chromium.ts";
import { openSite, SITE, unbuilt } from "./site.ts";

const reason = missing ?? unbuilt;
if (reason) console.log(`tests/browser/page is skipped: ${reason}`);

describe.skipIf(reason)("the page", () => {
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  beforeAll(async () => {
    browser = await launch();
    page = await openSite(browser);
    page.setDefaultTimeout(50_000);
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
  });
  afterAll(() => browser?.close());

  const shown = (): Promise<string> => page.locator(".xterm-rows").innerText();
  const waitFor = (text: string | RegExp) => page.locator(".xterm-rows").getByText(text).first().waitFor();
  const status = (): Promise<string> => page.locator("#status").innerText();
  const ended = () => page.locator("#status").getByText("exit code").waitFor();

  test("opens with a shell that answers", async () => {
    await page.goto(`${SITE}index.html`);
    await waitFor("#");
    await page.keyboard.type("echo $((6 * 7)) on $(uname -m)\n");
    await waitFor("42 on x86_64");
  });

  test("Ctrl-C interrupts what the shell waits for", async () => {
    // Quoted, so that the word appears when the shell has left its line editor, which takes Ctrl-C for itself.
    await page.keyboard.type("echo slee''ping; sleep 1000\n");
    await waitFor("sleeping");
    await page.keyboard.press("Control+c");
    await page.keyboard.type("echo status $?\n");
    await waitFor("status 130");
  });

  test("the terminal has the size that it shows", async () => {
    await page.keyboard.type("stty size\n");
    await waitFor("30 100");
  });

  test("exit ends the machine and says with which code", async () => {
    await page.keyboard.type("exit 7\n");
    await ended();
    expect(await status()).toMatch(/^Ended after \d+\.\d\d s with exit code 7\.$/);
  });

  test("runs a program that is named in the address", async () => {
    await page.goto("about:blank");
    await page.goto(`${SITE}index.html#hello`);
    await ended();
    expect(await shown()).toContain("Hello from ring 3.");
  });

  test("runs a command line that is typed, with its arguments", async () => {
    await page.locator("#command").fill("seq 3 5");
    await page.getByRole("button", { name: "Run" }).click();
    await ended();
    expect((await shown()).trim()).toMatch(/^3\s+4\s+5$/);
  });

  test("finds guest programs by name", async () => {
    await page.locator("#command").fill("gcd 1");
    await page.keyboard.press("Enter");
    await ended();
    expect((await shown()).trim()).toMatch(/^[0-9a-f]+ \d+$/);
  });

  test("says why a program cannot be started", async () => {
    await page.locator("#command").fill("/no/such/program");
    await page.keyboard.press("Enter");
    await page.locator("#status").getByText("Not started").waitFor();
    expect(await status()).toBe("Not started: /no/such/program: No such file or directory");
  });

  test("a program that floods the terminal leaves the page alive, and Ctrl-C ends it", async () => {
    await page.locator("#command").fill("yes");
    await page.keyboard.press("Enter");
    await waitFor("y");
    await page.keyboard.press("Control+c");
    await page.locator("#status").getByText("Killed").waitFor();
    expect(await status()).toMatch(/ by signal 2\.$/);
  });

  test("Stop ends a program that computes for ever", async () => {
    await page.locator("#command").fill("/guests/bench/integer 100000000000");
    await page.keyboard.press("Enter");
    await page.locator("#status").getByText("Running").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    expect(await status()).toBe("Stopped.");
    expect(await page.getByRole("button", { name: "Stop" }).isDisabled()).toBe(true);
  });

  test("none of this was reported as an error by the browser", () => {
    expect(problems).toEqual([]);
  });
});
