/** `npx trapgate` without a compiler, make and libunicorn. scripts/check-no-native.mjs runs `npm ci` too. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hostRunsGuests } from "../../machine/node/conformance-native.ts";
import { repository } from "./trapgate.ts";

it.skipIf(!hostRunsGuests || !existsSync(join(repository, ".git")))("guests run where nothing native is", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(repository, "scripts/check-no-native.mjs"), "--link"],
    { encoding: "utf8" },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout.match(/: as on the host, exit code 0$/gm)).toHaveLength(3);
  expect(stdout).toMatch(/there was no Unicorn$/m);
});
