import { spawnSync } from "node:child_process";
import { lockstepPrograms } from "./programs.ts";
for (const { name, words, missing, exit = 0 } of lockstepPrograms()) {
  if (missing !== "") { console.log(name, missing); continue; }
  const { status, stderr } = spawnSync("bin/trapgate", ["run", "--engine=unicorn", "--timeout=40", "--clock=virtual", "--seed=1", ...words], { encoding: "latin1", maxBuffer: 1 << 28 });
  if (status !== exit) console.log(name, status, stderr.slice(0, 300));
}
console.log("done");
