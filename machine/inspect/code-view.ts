/** What the wasm engine makes of a program's code, for people to look at. */
export { viewHandler, viewRegion, type FunctionView, type RegionView } from "../../emulator/wasm/view/region-view.ts";
export type { Disassembly } from "../../emulator/wasm/disassemble.ts";
