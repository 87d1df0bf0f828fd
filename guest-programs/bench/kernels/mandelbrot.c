/* The Mandelbrot set, four points at a time in packed floats: arithmetic in registers, a compare and a mask per step. */
#include <emmintrin.h>

#include "kernel.h"

enum { WIDTH = 64, HEIGHT = 48, STEPS = 100 };

static uint64_t four_points(float left, float step, float im) {
  __m128 cr = _mm_add_ps(_mm_set1_ps(left), _mm_mul_ps(_mm_set_ps(3, 2, 1, 0), _mm_set1_ps(step)));
  __m128 ci = _mm_set1_ps(im), x = cr, y = ci, limit = _mm_set1_ps(4);
  __m128i inside = _mm_setzero_si128();
  for (int i = 0; i < STEPS; i++) {
    __m128 xx = _mm_mul_ps(x, x), yy = _mm_mul_ps(y, y), xy = _mm_mul_ps(x, y);
    __m128 small = _mm_cmple_ps(_mm_add_ps(xx, yy), limit);
    if (_mm_movemask_ps(small) == 0) break;
    inside = _mm_sub_epi32(inside, _mm_castps_si128(small));
    x = _mm_add_ps(_mm_sub_ps(xx, yy), cr);
    y = _mm_add_ps(_mm_add_ps(xy, xy), ci);
  }
  uint64_t halves[2];
  _mm_storeu_si128((__m128i *)halves, inside);
  return mix(halves[0], halves[1]);
}

uint64_t kernel(long count) {
  uint64_t sum = 0;
  for (; count > 0; count--)
    for (int row = 0; row < HEIGHT; row++)
      for (int column = 0; column < WIDTH; column += 4)
        sum = mix(sum, four_points(-2.0f + (float)column * (3.0f / WIDTH), 3.0f / WIDTH,
                                   -1.2f + (float)row * (2.4f / HEIGHT)));
  return sum;
}
