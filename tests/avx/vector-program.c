/* Loops that gcc -O3 -march=x86-64-v3 turns into AVX2, FMA and BMI, and string functions of which libc has AVX2 variants. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 4099

static float fa[N], fb[N], fc[N];
static double da[N], db[N];
static int32_t ia[N], ib[N], ic[N];
static uint8_t ba[N], bb[N];
static uint64_t qa[N];

static uint32_t seed = 12345;

static uint32_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  return seed ^= seed << 5;
}

static uint64_t hash(const void *bytes, size_t size) {
  uint64_t sum = 1469598103934665603ull;
  for (size_t i = 0; i < size; i++) sum = (sum ^ ((const uint8_t *)bytes)[i]) * 1099511628211ull;
  return sum;
}

#define KERNEL __attribute__((noinline)) static void

KERNEL scaled_sum(void) {
  for (int i = 0; i < N; i++) fc[i] = fa[i] * fb[i] + fc[i] * 0.5f;
}

KERNEL where_positive(void) {
  for (int i = 0; i < N; i++)
    if (ia[i] > 0) ic[i] = ib[i] * 3 + ia[i];
}

KERNEL gather(void) {
  for (int i = 0; i < N; i++) ic[i] ^= ib[(uint32_t)ia[i] % N];
}

KERNEL shift(void) {
  for (int i = 0; i < N; i++) ic[i] = (int32_t)((uint32_t)ic[i] << (ia[i] & 31)) ^ (int32_t)((uint32_t)ib[i] >> (ia[i] & 15));
}

KERNEL choose_bytes(void) {
  for (int i = 0; i < N; i++) bb[i] = (ba[i] > 100 ? ba[i] : bb[i]) + (ba[i] >> 2);
}

KERNEL convert(void) {
  for (int i = 0; i < N; i++) {
    da[i] = ia[i];
    fa[i] = (float)db[i];
    ia[i] = (int)fb[i];
  }
}

__attribute__((noinline)) static double dot(void) {
  double sum = 0;
  for (int i = 0; i < N; i++) sum += da[i] * db[i];
  return sum;
}

__attribute__((noinline)) static long count_bits(void) {
  long sum = 0;
  for (int i = 0; i < N; i++)
    sum += __builtin_popcountll(qa[i]) + __builtin_ctzll(qa[i] | 1ull << 63) + __builtin_clzll(qa[i] | 1);
  return sum;
}

__attribute__((noinline)) static uint64_t twiddle(uint64_t x) {
  uint64_t sum = 0;
  for (int i = 0; i < 200; i++) {
    x = (x & (x - 1)) ^ (x << 7) ^ (~x & (x >> 9));
    sum += x & -x;
    x = __builtin_bswap64(x) + i;
    sum ^= (x >> (i & 63)) | (x << ((64 - i) & 63));
  }
  return sum;
}

static int compare(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}

static void strings(void) {
  char text[5000];
  memset(text, 'x', 4999);
  text[4999] = 0;
  text[3777] = 'y';
  printf("strings %zu %ld %d %d %s\n", strlen(text), (long)(strchr(text, 'y') - text), memcmp(text, text + 1, 3000) != 0,
         memchr(text, 'z', 4999) == NULL, strstr(text, "xyx") ? "found" : "lost");
  char *copy = malloc(9000);
  for (int i = 0; i < 300; i++) memcpy(copy + i, text, 4000 + i);
  for (int i = 0; i < 100; i++) memmove(copy + 100 + i, copy, 3000 + i);
  printf("copies %016lx\n", hash(copy, 4299));
}

int main(void) {
  for (int i = 0; i < N; i++) {
    fa[i] = (float)(next() % 2000) / 7.f;
    fb[i] = (float)(next() % 2000) / 3.f - 300;
    da[i] = next() / 1e5;
    db[i] = (int)next() / 3e5;
    ia[i] = (int)next() % 100000;
    ib[i] = (int)next();
    ba[i] = (uint8_t)next();
    bb[i] = (uint8_t)next();
    qa[i] = (uint64_t)next() << 32 | next();
  }
  for (int i = 0; i < 60; i++) {
    scaled_sum();
    where_positive();
    gather();
    shift();
    choose_bytes();
  }
  printf("loops %016lx %016lx %016lx\n", hash(fc, sizeof fc), hash(ic, sizeof ic), hash(bb, sizeof bb));
  printf("dot %.17g, rest of a product %.17g\n", dot(), fma(da[3], db[4], -da[3] * db[4]));
  convert();
  printf("conversions %016lx %016lx %016lx\n", hash(da, sizeof da), hash(fa, sizeof fa), hash(ia, sizeof ia));
  printf("bits %ld %016lx\n", count_bits(), twiddle(0x123456789abcdef));
  qsort(ib, N, sizeof *ib, compare);
  printf("sorted %016lx\n", hash(ib, sizeof ib));
  double sum = 0;
  for (int i = 1; i < 2000; i++)
    sum += sin(i) * exp(-i / 500.) + log(i) * pow(i, 0.3) + sqrt(i) + floor(i * 0.37) + fmod(i, 3.7);
  printf("libm %.17g\n", sum);
  strings();
  return 0;
}
