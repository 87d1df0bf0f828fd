/**
 * What the interpreter runs: blocks of records, one per instruction, in RAM frames of the engine's own.
 *
 * A block begins with a header: a counter of the runs left until it is worth compiling, and its address. A record names
 * its handler and holds all that differs between instructions of the same form.
 */
export const BLOCK_COUNTER = 0;
/** How many instructions the block has. */
export const BLOCK_LENGTH = 4;
export const BLOCK_ADDRESS = 8;
export const BLOCK_HEADER = 16;

/** Index of the handler in the function table (4 bytes). */
export const RECORD_HANDLER = 0;
/** Addresses in the register file of up to eight registers, 2 bytes each. */
export const RECORD_SLOTS = 8;
/** An immediate, sign-extended, or the target of a direct branch. */
export const RECORD_IMMEDIATE = 24;
export const RECORD_DISPLACEMENT = 32;
/** Address of the instruction and of the one behind it. */
export const RECORD_ADDRESS = 40;
export const RECORD_NEXT = 48;
/** Log2 of the scale of the index register. */
export const RECORD_SCALE = 56;
/** Where the targets of an indirect jump are noted (4 bytes); 0: nowhere. */
export const RECORD_TARGETS = 60;
export const RECORD_BYTES = 64;

/** Targets of an indirect jump, as far as it was interpreted: how many there are (4 bytes), and their addresses. */
export const TARGETS_COUNT = 0;
export const TARGETS_FIRST = 8;
export const MOST_TARGETS = 64;
export const TARGETS_BYTES = TARGETS_FIRST + MOST_TARGETS * 8;

/** Register numbers from here on stand for what a record's slots name. */
export const FIRST_SLOT = 32;
export const BASE_SLOT = FIRST_SLOT + 6;
export const INDEX_SLOT = FIRST_SLOT + 7;
/** The register number of an immediate that takes a register's place: the count of a shift. */
export const IMMEDIATE_SLOT = FIRST_SLOT + 8;

/** Longest block, in instructions. */
export const LONGEST_BLOCK = 48;
