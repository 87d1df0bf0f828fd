/**
 * Where things live in a 47-bit user address space, as Linux lays it out on x86-64 with address-space randomisation
 * switched off (personality(2), ADDR_NO_RANDOMIZE).
 */
export const PAGE_SIZE = 4096;
export const PAGE_MASK = 4095;

/** First address that is not the user's: the last page below the canonical hole stays unused (TASK_SIZE_MAX). */
export const TASK_SIZE = 0x7ffffffff000;
/** Top of the initial stack. */
export const STACK_TOP = 0x7ffffffff000;
/** Mappings without a wish are placed below this address, downwards. */
export const MMAP_BASE = 0x7ffff7fff000;
/** Lowest address mmap chooses by itself or lets an unprivileged MAP_FIXED take (vm.mmap_min_addr). */
export const MMAP_MIN_ADDRESS = 0x10000;
/** MAP_32BIT mappings are placed here. */
export const LOW_MMAP_BASE = 0x40000000;
export const LOW_MMAP_END = 0x80000000;
/** Where a position-independent executable is loaded, and its interpreter when that is run directly. */
export const PIE_BASE = 0x555555554000;
/** Unmapped pages kept below a growing stack. */
export const STACK_GUARD_GAP = 256 * PAGE_SIZE;

export const pageFloor = (address: number): number => address - (address % PAGE_SIZE);
export const pageCeil = (address: number): number => pageFloor(address + PAGE_MASK);
