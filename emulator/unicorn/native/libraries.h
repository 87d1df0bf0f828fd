/* The copies of libunicorn in this process, for functions that stand between their parts: see libraries.c. */
#ifndef TRAPGATE_LIBRARIES_H
#define TRAPGATE_LIBRARIES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uintptr_t start, end;
  bool known; /* 2.1.x: the functions below have these prototypes */
  /* The library's own functions, by the names of guard.c, with a few words more than they take. */
  void (*translate)(uintptr_t cpu, uintptr_t block, uintptr_t limit, uintptr_t, uintptr_t, uintptr_t);
  uintptr_t (*fetch)(uintptr_t env, uintptr_t address, uintptr_t, uintptr_t, uintptr_t, uintptr_t);
  uintptr_t (*begin)(uintptr_t context, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t);
} library;

/* To be called before a library is loaded; once is enough. */
void libraries_prepare(void);

/* The library around an address, or NULL when it is not one or one too many. */
const library *libraries_find(uintptr_t address);

#endif
