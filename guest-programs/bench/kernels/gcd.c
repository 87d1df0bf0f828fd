/* Greatest common divisors of 64-bit numbers: the division instruction, and little else. */
#include "kernel.h"

enum { PAIRS = 1000 };

static uint64_t gcd(uint64_t a, uint64_t b) {
  while (b != 0) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

uint64_t kernel(long count) {
  uint32_t seed = 1;
  uint64_t sum = 0;
  for (; count > 0; count--)
    for (int i = 0; i < PAIRS; i++) {
      uint64_t a = (uint64_t)next_random(&seed) << 30 | next_random(&seed);
      uint64_t b = (uint64_t)next_random(&seed) << 30 | next_random(&seed);
      sum = mix(sum, gcd(a, b));
    }
  return sum;
}
