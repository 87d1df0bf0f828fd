/* A kernel is one function in a file of its own: it does its work `count` times and gives a checksum of all of it, which
 * is the same for every processor. harness.c holds the watch and prints both. */
#ifndef GUEST_KERNEL_H
#define GUEST_KERNEL_H

#include <stddef.h>
#include <stdint.h>

uint64_t kernel(long count);

/* Numbers that look random and are the same everywhere. */
static inline uint32_t next_random(uint32_t *seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

/* Puts a value into a checksum so that order counts. */
static inline uint64_t mix(uint64_t sum, uint64_t value) { return sum * 31 + value; }

#endif
