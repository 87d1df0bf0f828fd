/* The sieve of Eratosthenes up to 65536: byte stores with a stride. */
#include "kernel.h"

enum { LIMIT = 65536 };

static uint8_t composite[LIMIT];

uint64_t kernel(long count) {
  uint64_t sum = 0;
  for (; count > 0; count--) {
    for (int i = 0; i < LIMIT; i++) composite[i] = 0;
    for (int i = 2; i < LIMIT; i++) {
      if (composite[i]) continue;
      sum += (uint64_t)i;
      for (long multiple = (long)i * i; multiple < LIMIT; multiple += i) composite[multiple] = 1;
    }
  }
  return sum;
}
