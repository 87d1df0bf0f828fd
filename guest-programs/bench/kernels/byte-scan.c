/* strlen and memchr as C libraries write them: 16 bytes at a time, compared, turned into a mask, and tested. */
#include <emmintrin.h>

#include "kernel.h"

enum { SIZE = 32768 };

static _Alignas(16) char text[SIZE];

__attribute__((noinline)) static size_t length(const char *from) {
  const char *at = (const char *)((uintptr_t)from & ~15UL);
  unsigned mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_load_si128((const __m128i *)at), _mm_setzero_si128()));
  mask >>= from - at;
  if (mask) return (size_t)__builtin_ctz(mask);
  do {
    at += 16;
    mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_load_si128((const __m128i *)at), _mm_setzero_si128()));
  } while (mask == 0);
  return (size_t)(at - from) + (size_t)__builtin_ctz(mask);
}

__attribute__((noinline)) static const char *find(const char *from, char byte, size_t size) {
  __m128i wanted = _mm_set1_epi8(byte);
  for (size_t at = 0; at < size; at += 16) {
    unsigned mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(from + at)), wanted));
    if (mask) return from + at + __builtin_ctz(mask);
  }
  return from + size;
}

uint64_t kernel(long count) {
  uint32_t seed = 1;
  uint64_t sum = 0;
  for (int i = 0; i < SIZE; i++) text[i] = (char)('a' + next_random(&seed) % 25);
  text[SIZE / 2] = 'z';
  text[SIZE - 1] = 0;
  for (; count > 0; count--) {
    sum = mix(sum, length(text + count % 61));
    sum = mix(sum, (uint64_t)(find(text + count % 59, 'z', SIZE / 2 + 100) - text));
    /* Short strings as well, where the way in and out is what costs. */
    for (int i = 0; i < 256; i++) sum += length(text + SIZE - 2 - i % 40);
  }
  return sum;
}
