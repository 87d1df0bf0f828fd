/* Copying and filling, of 16 bytes to 64 KiB: SSE2 loops for all sizes, as C libraries have them, and the string
 * instructions rep movsb and rep stosb for the large ones. */
#include <emmintrin.h>

#include "kernel.h"

enum { LARGEST = 65536, SPACE = LARGEST + 64 };

static _Alignas(64) uint8_t source[SPACE], target[SPACE];

__attribute__((noinline)) static void copy(uint8_t *to, const uint8_t *from, size_t size) {
  size_t at = 0;
  for (; at + 64 <= size; at += 64) {
    __m128i a = _mm_loadu_si128((const __m128i *)(from + at)), b = _mm_loadu_si128((const __m128i *)(from + at + 16));
    __m128i c = _mm_loadu_si128((const __m128i *)(from + at + 32)), d = _mm_loadu_si128((const __m128i *)(from + at + 48));
    _mm_storeu_si128((__m128i *)(to + at), a);
    _mm_storeu_si128((__m128i *)(to + at + 16), b);
    _mm_storeu_si128((__m128i *)(to + at + 32), c);
    _mm_storeu_si128((__m128i *)(to + at + 48), d);
  }
  for (; at < size; at++) to[at] = from[at];
}

__attribute__((noinline)) static void fill(uint8_t *to, uint8_t byte, size_t size) {
  __m128i value = _mm_set1_epi8((char)byte);
  size_t at = 0;
  for (; at + 16 <= size; at += 16) _mm_storeu_si128((__m128i *)(to + at), value);
  for (; at < size; at++) to[at] = byte;
}

static void copy_by_string(uint8_t *to, const uint8_t *from, size_t size) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void fill_by_string(uint8_t *to, uint8_t byte, size_t size) {
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
}

uint64_t kernel(long count) {
  uint32_t seed = 1;
  uint64_t sum = 0;
  for (int i = 0; i < SPACE; i++) source[i] = (uint8_t)next_random(&seed);
  for (; count > 0; count--) {
    unsigned skew = (unsigned)count & 31;
    for (size_t size = 16; size <= LARGEST; size *= 4) {
      /* As many bytes for each size, so that the large ones do not hide the small. */
      for (size_t done = 0; done < LARGEST; done += size) {
        copy(target + skew, source + (done & 15), size);
        fill(target, (uint8_t)count, size / 4);
      }
      sum = mix(sum, target[size / 2]);
    }
    copy_by_string(target + skew, source, LARGEST);
    sum = mix(sum, target[LARGEST / 3]);
    fill_by_string(target + skew, (uint8_t)count, LARGEST);
    sum = mix(sum, target[LARGEST / 3]);
  }
  return sum;
}
