/* Squares of a number of 2048 bits by the schoolbook: 64 x 64 to 128-bit products, and carries. */
#include "kernel.h"

enum { WORDS = 32 };

typedef unsigned __int128 wide;

static uint64_t number[WORDS], product[2 * WORDS];

static void multiply(const uint64_t *a, const uint64_t *b) {
  for (int i = 0; i < 2 * WORDS; i++) product[i] = 0;
  for (int i = 0; i < WORDS; i++) {
    uint64_t carry = 0;
    for (int j = 0; j < WORDS; j++) {
      wide sum = (wide)a[i] * b[j] + product[i + j] + carry;
      product[i + j] = (uint64_t)sum;
      carry = (uint64_t)(sum >> 64);
    }
    product[i + WORDS] = carry;
  }
}

uint64_t kernel(long count) {
  uint64_t sum = 0;
  for (int i = 0; i < WORDS; i++) number[i] = 0x9e3779b97f4a7c15u * (uint64_t)(i + 1);
  for (; count > 0; count--) {
    multiply(number, number);
    for (int i = 0; i < WORDS; i++) number[i] = product[i + WORDS / 2] | 1;
    sum = mix(sum, product[count % (2 * WORDS)]);
  }
  return sum;
}
