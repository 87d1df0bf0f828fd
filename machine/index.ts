/**
 * The library's front door. It knows no particular host: `machine/node/index.ts` is the door for Node.
 *
 *     const machine = createMachine({ engine, host, program: "/bin/hello" });
 *     const result = await machine.run();
 */
export { createMachine, Machine, ProgramError, type MachineResult } from "./machine.ts";
export type { Bind, MachineOptions, ProgramOptions, RootSource } from "./options.ts";
export type { Inlet, MachineHost } from "./host.ts";
export type { EngineCapabilities } from "../emulator/engine.ts";
export type { Tracer } from "../kernel/events.ts";
export type { World } from "../kernel/world.ts";
export { VirtualClock } from "./virtual-clock.ts";
export { SeededEntropy } from "./seeded-entropy.ts";
export { TraceWriter, type TraceOptions } from "./trace-writer.ts";
export { parseTraceFilter, type TraceFilter } from "./trace/filter.ts";
export { supportFormats, supportText } from "./support.ts";
export { SetUpError } from "../kernel/vfs/set-up.ts";
