/* Quicksort of 16384 pseudo-random 32-bit numbers: compares, swaps and branches nobody can predict. */
#include "kernel.h"

enum { COUNT = 16384 };

static uint32_t numbers[COUNT];

static void sort(uint32_t *first, uint32_t *last) {
  while (first < last) {
    uint32_t pivot = first[(last - first) / 2], *left = first, *right = last;
    while (left <= right) {
      while (*left < pivot) left++;
      while (*right > pivot) right--;
      if (left > right) break;
      uint32_t other = *left;
      *left++ = *right;
      *right-- = other;
    }
    sort(first, right);
    first = left;
  }
}

uint64_t kernel(long count) {
  uint32_t seed = 1;
  uint64_t sum = 0;
  for (; count > 0; count--) {
    for (int i = 0; i < COUNT; i++) numbers[i] = next_random(&seed);
    sort(numbers, numbers + COUNT - 1);
    for (int i = 0; i < COUNT; i += 64) sum = mix(sum, numbers[i]);
  }
  return sum;
}
