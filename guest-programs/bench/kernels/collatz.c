/* Lengths of Collatz sequences: additions, shifts and a branch nobody can predict, all in registers. */
#include "kernel.h"

enum { LIMIT = 20000 };

static uint32_t steps(uint64_t n) {
  uint32_t count = 0;
  for (; n != 1; count++) n = n & 1 ? 3 * n + 1 : n >> 1;
  return count;
}

uint64_t kernel(long count) {
  uint64_t sum = 0;
  for (; count > 0; count--)
    for (uint64_t n = 1; n <= LIMIT; n++) sum = mix(sum, steps(n + (uint64_t)count));
  return sum;
}
