import { it } from "vitest";
import { ParkedTask } from "../support/parked-task.ts";
it("x", () => {
  const t0 = performance.now();
  const p = new ParkedTask();
  const t1 = performance.now();
  p.map(0x20000000, 4);
  console.log(t1-t0, p.call("getpid"), p.call("nanosleep", 0x20000000, 0), p.call("read", 0, 0x20000000, 10), p.call("pipe", 0x20000000), p.call("fork"), p.call("pause"), p.call("open", 0, 0));
  p.buryChildren();
  const t = performance.now();
  for (let i = 0; i < 10; i++) new ParkedTask();
  console.log((performance.now()-t)/10);
});
