/* A little stack machine that counts primes by trial division: one switch, taken for every bytecode. */
#include "kernel.h"

enum operation { PUSH, LOAD, STORE, ADD, SUBTRACT, MULTIPLY, REMAINDER, LESS, EQUAL, JUMP, JUMP_IF_ZERO, STOP };
enum variable { N, DIVISOR, PRIMES, LIMIT };

/* for (n = 2; n < limit; n++) { for (d = 2; d * d < n + 1; d++) if (n % d == 0) goto next; primes++; next:; } */
static const int32_t program[] = {
    /*  0 */ PUSH,      2,       STORE,    N,
    /*  4 */ LOAD,      N,       LOAD,     LIMIT,   LESS,    JUMP_IF_ZERO, 53,
    /* 11 */ PUSH,      2,       STORE,    DIVISOR,
    /* 15 */ LOAD,      DIVISOR, LOAD,     DIVISOR, MULTIPLY, LOAD,        N,       PUSH, 1, ADD, LESS, JUMP_IF_ZERO, 39,
    /* 28 */ LOAD,      N,       LOAD,     DIVISOR, REMAINDER, JUMP_IF_ZERO, 46,    JUMP, 54,
    /* 37 */ STOP,      STOP,
    /* 39 */ LOAD,      PRIMES,  PUSH,     1,       ADD,     STORE,        PRIMES,
    /* 46 */ LOAD,      N,       PUSH,     1,       ADD,     JUMP,         63,
    /* 53 */ STOP,
    /* 54 */ LOAD,      DIVISOR, PUSH,     1,       ADD,     STORE,        DIVISOR, JUMP, 15,
    /* 63 */ STORE,     N,       JUMP,     4,
};

static int64_t interpret(int64_t limit) {
  int64_t stack[16], *top = stack, variables[4] = {0, 0, 0, limit};
  const int32_t *at = program;
  for (;;) {
    switch ((enum operation)*at++) {
      case PUSH: *top++ = *at++; break;
      case LOAD: *top++ = variables[*at++]; break;
      case STORE: variables[*at++] = *--top; break;
      case ADD: top--, top[-1] += top[0]; break;
      case SUBTRACT: top--, top[-1] -= top[0]; break;
      case MULTIPLY: top--, top[-1] *= top[0]; break;
      case REMAINDER: top--, top[-1] = (uint32_t)top[-1] % (uint32_t)top[0]; break;
      case LESS: top--, top[-1] = top[-1] < top[0]; break;
      case EQUAL: top--, top[-1] = top[-1] == top[0]; break;
      case JUMP: at = program + *at; break;
      case JUMP_IF_ZERO: at = *--top ? at + 1 : program + *at; break;
      case STOP: return variables[PRIMES];
    }
  }
}

uint64_t kernel(long count) {
  uint64_t sum = 0;
  for (; count > 0; count--) sum = mix(sum, (uint64_t)interpret(2000 + count % 16));
  return sum;
}
