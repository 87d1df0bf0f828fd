import { expect, it } from "vitest";
import { RECORD_BYTES, RECORD_HANDLER } from "../interpret/records.ts";
import { decodePage, encodePage, type SavedBlock } from "./saved-page.ts";

const HANDLERS = ["a", "b", "c"];

function block(address: number, handlers: readonly string[]): SavedBlock {
  const records = new Uint8Array(handlers.length * RECORD_BYTES);
  const view = new DataView(records.buffer);
  handlers.forEach((name, i) => view.setUint32(i * RECORD_BYTES + RECORD_HANDLER, HANDLERS.indexOf(name), true));
  return { address, size: 4, instructions: handlers.length, records, handlers: HANDLERS };
}

const named = ({ records, handlers }: SavedBlock): unknown[] =>
  Array.from({ length: records.length / RECORD_BYTES }, (_, i) => {
    return handlers[
      new DataView(records.buffer, records.byteOffset).getUint32(i * RECORD_BYTES + RECORD_HANDLER, true)
    ];
  });

it("a page read from a file can be kept again: Node's buffers are not copied by slice", () => {
  const first = encodePage({ blocks: [block(0x1000, ["c", "b"]), block(0x1010, ["a", "c"])], regions: [] });
  const file = Buffer.from(first);
  const read = decodePage(file);
  const again = decodePage(encodePage({ blocks: [...read.blocks].reverse(), regions: [] }));
  expect(Buffer.compare(file, first)).toBe(0);
  expect(again.blocks.map(named)).toEqual([
    ["a", "c"],
    ["c", "b"],
  ]);
});
