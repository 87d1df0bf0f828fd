/** x87 instructions that compute nothing: control and status words, environment, state (Intel SDM volume 2). */
import type { PhysicalMemory } from "../../physical-memory.ts";
import { AT_SCRATCH } from "../layout.ts";
import { resetX87 } from "./fpu-state.ts";
import { loadEnvironment, loadRegisters, storeEnvironment, storeRegisters } from "./x87-environment.ts";
import type { Format } from "./x87-memory.ts";
import type { X87State } from "./x87-state.ts";

/** Status bits that FNCLEX leaves alone. */
const NO_EXCEPTIONS = 0x7f00;

/** Executes one; the status word of FNSTSW AX comes back at AT_SCRATCH. */
export function controlInstruction(
  memory: PhysicalMemory,
  state: X87State,
  name: string,
  format: Format,
  host: number,
): void {
  const { view } = memory;
  const short = format === "env14" || format === "state94";
  const [bytes, registers] = [short ? 14 : 28, host + (short ? 14 : 28)];
  switch (name.replace(/^fn/, "f")) {
    case "finit":
      resetX87(memory);
      return;
    case "fclex":
      state.status &= NO_EXCEPTIONS;
      return;
    case "fldcw":
      state.control = view.getUint16(host, true);
      return;
    case "fstcw":
      view.setUint16(host, state.control, true);
      return;
    case "fstsw":
      view.setUint16(host || AT_SCRATCH, state.status | (state.top << 11), true);
      return;
    case "emms":
      state.used = 0;
      state.top = 0;
      return;
    case "fstenv":
      storeEnvironment(memory, state, host, bytes);
      state.control |= 0x3f;
      return;
    case "fldenv":
      loadEnvironment(memory, state, host, bytes);
      return;
    case "fsave":
      storeEnvironment(memory, state, host, bytes);
      storeRegisters(memory, state, registers);
      resetX87(memory);
      return;
    case "frstor":
      loadEnvironment(memory, state, host, bytes);
      loadRegisters(memory, state, registers);
  }
}
