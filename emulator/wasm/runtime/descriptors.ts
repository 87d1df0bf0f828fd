/**
 * The segment descriptors that a 64-bit Linux shows to user code (arch/x86/include/asm/segment.h): what LAR, LSL, VERR and
 * VERW tell, and what may be loaded. Values as measured on Linux 6; privileged descriptors are invisible at CPL 3.
 */
export const DESCRIPTOR_ACCESS = 0;
export const DESCRIPTOR_LIMIT = 1;
export const DESCRIPTOR_READABLE = 2;
export const DESCRIPTOR_WRITABLE = 3;

interface Descriptor {
  /** As LAR gives it. */
  readonly access: number;
  readonly limit: number;
  readonly writable: boolean;
}

const SELECTOR_SS = 0x2b;
const SEGMENT_SS = 2;

/** By selector without its privilege bits. */
const DESCRIPTORS: ReadonlyMap<number, Descriptor> = new Map([
  // 32-bit code, data, 64-bit code; CPU and node number as a limit: processor 0.
  [0x20, { access: 0xcffb00, limit: 0xffffffff, writable: false }],
  [0x28, { access: 0xcff300, limit: 0xffffffff, writable: true }],
  [0x30, { access: 0xaffb00, limit: 0xffffffff, writable: false }],
  [0x78, { access: 0x40f500, limit: 0, writable: false }],
]);

const find = (selector: number): Descriptor | undefined => DESCRIPTORS.get(selector & 0xfffc);

/** Access rights, limit, or 1 for yes; -1 when the descriptor is not there, not visible, or the answer is no. */
export function descriptor(selector: number, what: number): bigint {
  const found = find(selector);
  if (!found || (what === DESCRIPTOR_WRITABLE && !found.writable)) return -1n;
  return what === DESCRIPTOR_ACCESS ? BigInt(found.access) : what === DESCRIPTOR_LIMIT ? BigInt(found.limit) : 1n;
}

/** Whether a segment register other than CS may be loaded: SS with its own selector, the others with null as well. */
export function mayLoad(segment: number, selector: number): boolean {
  if (segment === SEGMENT_SS) return selector === SELECTOR_SS;
  return selector <= 3 || find(selector) !== undefined;
}
