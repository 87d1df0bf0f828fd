/** The child's copy of an address space: same areas, same frames, copied when one side writes. */
import { AddressSpace } from "./address-space.ts";
import { PTE_WRITE } from "./page-table.ts";
import type { Vma } from "./vma.ts";

/** @throws ENOMEM; then nothing is left of the copy */
export function forkAddressSpace(parent: AddressSpace): AddressSpace {
  const child = new AddressSpace(parent.frames, parent.engine);
  child.limits = { ...parent.limits };
  child.brkStart = parent.brkStart;
  child.brkEnd = parent.brkEnd;
  child.marks = { ...parent.marks };
  child.auxv = parent.auxv;
  child.membarrierRegistered = parent.membarrierRegistered;
  try {
    for (const area of parent.vmas.areas) {
      if (area.dontFork) continue;
      const copy = { ...area, locked: false };
      copy.store?.mappers.add(child);
      child.vmas.insert(copy);
      if (!area.wipeOnFork) shareFrames(parent, child, area);
    }
  } catch (error) {
    child.dispose();
    throw error;
  }
  parent.engine.flushTlb();
  return child;
}

function shareFrames(parent: AddressSpace, child: AddressSpace, area: Vma): void {
  const { frames } = parent;
  const words = frames.memory.u32;
  parent.table.forEachPresent(area.start, area.end, (entry, address) => {
    let low = words[entry]!;
    if (!area.shared && (low & PTE_WRITE) !== 0) {
      low &= ~PTE_WRITE;
      words[entry] = low;
    }
    const target = child.table.ensure(address);
    words[target] = low;
    words[target + 1] = words[entry + 1]!;
    frames.retain(low >>> 12);
    child.residentPages++;
  });
}
