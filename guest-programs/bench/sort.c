/* Quicksort of 16384 pseudo-random 32-bit numbers, argv[1] times: compares, swaps and branches nobody can predict. */
#include "bench.h"

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
    /* Recursion into the smaller part keeps the stack short, whatever the numbers are. */
    if (right - first < last - left) {
      sort(first, right);
      first = left;
    } else {
      sort(left, last);
      last = right;
    }
  }
}

int main(int argc, char **argv) {
  uint32_t seed = 1;
  for (long n = iterations(argc, argv); n > 0; n--) {
    for (int i = 0; i < COUNT; i++) numbers[i] = seed = seed * 1664525u + 1013904223u;
    sort(numbers, numbers + COUNT - 1);
    for (int i = 1; i < COUNT; i++)
      if (numbers[i - 1] > numbers[i]) return 1;
  }
  return 0;
}
