/*
 * Keeps guest code from crashing Unicorn's translator, and with it this process. The functions with Unicorn's names
 * stand between the library and its own functions of these names (libraries.c). They are for two faults of 2.1.x:
 *
 * The translator has room for 512 temporaries in a block and takes up to 512 instructions, but x87, CRC32 and some SSE
 * instructions never give theirs back (INSERTPS up to 5): a run of them writes behind the array. No option bounds the
 * instructions of a block, but the entry point has an argument for it, which is lowered here.
 *
 * LOCK before a bit test of a register (F0 0F A3 C0), #UD on a processor, is translated to an access at an address that
 * was never computed; the code generator finds that and calls abort(). A block that may have such bytes is therefore
 * translated again as one instruction, whose first byte is shown as that of an invalid instruction if it is one.
 */
#include "guard.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "libraries.h"

enum { LOCK = 0xf0, PUSH_ES = 0x06 /* invalid in 64-bit code */, LONGEST_INSTRUCTION = 15 };

/* The translation under way in this thread; an engine is never used by two threads at once. */
static _Thread_local struct {
  uintptr_t context;
  uint64_t fetched;
  uint64_t lock_at; /* value of fetched behind the last byte that may be a LOCK prefix */
  uint32_t recent;  /* the last bytes fetched, the newest lowest */
  bool suspicious;  /* a locked bit test of a register may have been among them */
  bool first;       /* the next byte is the first of an instruction in a block of its own */
} state;

uint64_t guard_fetched(void) {
  return state.fetched;
}

static const library *require(void *return_address) {
  const library *caller = libraries_find((uintptr_t)return_address);
  if (caller) return caller;
  fputs("trapgate: called by a library that is not a known libunicorn\n", stderr);
  abort();
}

static bool is_prefix(uint8_t byte) {
  switch (byte) {
    case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: case 0x66: case 0x67: case 0xf2: case 0xf3: case LOCK:
      return true;
    default:
      return byte >> 4 == 4; /* REX */
  }
}

/* Whether 0F, opcode and ModRM byte are BT, BTS, BTR or BTC of a register. */
static bool is_register_bit_test(uint32_t bytes) {
  uint8_t escape = bytes >> 16, opcode = bytes >> 8, modrm = bytes;
  if (escape != 0x0f || modrm < 0xc0) return false;
  return opcode == 0xba ? (modrm & 0x20) != 0 : (opcode & 0xe7) == 0xa3;
}

/* Reads on as far as the decoder would, so that page faults are the same. */
static bool is_locked_register_bit_test(const library *from, uintptr_t env, uintptr_t address) {
  bool locked = false;
  for (int i = 0; i < LONGEST_INSTRUCTION; i++) {
    uint8_t byte = from->fetch(env, address++, 0, 0, 0, 0);
    if (byte == LOCK) locked = true;
    if (is_prefix(byte)) continue;
    if (byte != 0x0f || !locked) return false;
    uint8_t opcode = from->fetch(env, address++, 0, 0, 0, 0);
    if (opcode != 0xba && (opcode & 0xe7) != 0xa3) return false;
    uint8_t modrm = from->fetch(env, address, 0, 0, 0, 0);
    return is_register_bit_test(0x0f0000u | opcode << 8 | modrm);
  }
  return false;
}

#define SHOWN __attribute__((visibility("default"), noinline))

/* Called before each translation. */
SHOWN uintptr_t tcg_func_start_x86_64(uintptr_t context, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f) {
  state.context = context;
  return require(__builtin_return_address(0))->begin(context, b, c, d, e, f);
}

/* Called for every byte of an instruction up to its ModRM byte, and for some behind. */
SHOWN uintptr_t cpu_ldub_code_x86_64(uintptr_t env, uintptr_t address, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f) {
  const library *caller = require(__builtin_return_address(0));
  if (state.first) {
    state.first = false;
    if (is_locked_register_bit_test(caller, env, address)) return PUSH_ES;
  }
  uintptr_t byte = caller->fetch(env, address, c, d, e, f);
  state.fetched++;
  state.recent = state.recent << 8 | (uint8_t)byte;
  if ((uint8_t)byte == LOCK) state.lock_at = state.fetched;
  if (is_register_bit_test(state.recent) && state.fetched - state.lock_at <= LONGEST_INSTRUCTION) state.suspicious = true;
  return byte;
}

/* Called for a block to be translated. */
SHOWN void gen_intermediate_code_x86_64(uintptr_t cpu, uintptr_t block, uintptr_t limit, uintptr_t d, uintptr_t e, uintptr_t f) {
  const library *caller = require(__builtin_return_address(0));
  state.first = state.suspicious = false;
  if (caller->known && (uint32_t)limit > BLOCK_LIMIT) limit = BLOCK_LIMIT;
  caller->translate(cpu, block, limit, d, e, f);
  if (!caller->known || !state.suspicious) return;
  caller->begin(state.context, 0, 0, 0, 0, 0);
  state.first = true;
  caller->translate(cpu, block, 1, d, e, f);
}
