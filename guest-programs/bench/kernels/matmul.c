/* Product of two 96 x 96 matrices of doubles, two at a time: packed multiplications, additions and loads. */
#include <emmintrin.h>

#include "kernel.h"

enum { SIZE = 96 };

static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static void multiply(void) {
  for (int row = 0; row < SIZE; row++)
    for (int column = 0; column < SIZE; column += 4) {
      __m128d left = _mm_setzero_pd(), right = _mm_setzero_pd();
      for (int k = 0; k < SIZE; k++) {
        __m128d factor = _mm_set1_pd(a[row][k]);
        left = _mm_add_pd(left, _mm_mul_pd(factor, _mm_loadu_pd(&b[k][column])));
        right = _mm_add_pd(right, _mm_mul_pd(factor, _mm_loadu_pd(&b[k][column + 2])));
      }
      _mm_storeu_pd(&c[row][column], left);
      _mm_storeu_pd(&c[row][column + 2], right);
    }
}

uint64_t kernel(long count) {
  uint32_t seed = 1;
  uint64_t sum = 0;
  for (int i = 0; i < SIZE * SIZE; i++) {
    a[i / SIZE][i % SIZE] = (double)next_random(&seed) / 16777.0;
    b[i / SIZE][i % SIZE] = (double)next_random(&seed) / 16777.0;
  }
  for (; count > 0; count--) {
    multiply();
    a[count % SIZE][0] += 1;
    sum = mix(sum, (uint64_t)c[count % SIZE][(count * 7) % SIZE]);
  }
  return sum;
}
