/* A micro-benchmark guest does one thing argv[1] times and prints nothing: the machine outside holds the watch. */
#ifndef GUEST_BENCH_H
#define GUEST_BENCH_H

#include "sys.h"
#include "text.h"

static inline long iterations(int argc, char **argv) { return argc > 1 ? parse_number(argv[1]) : 1000; }

/* Keeps a result alive that nobody looks at, so that the compiler cannot drop the work. */
static inline void keep(unsigned long value) { __asm__ volatile("" : : "r"(value)); }

#endif
