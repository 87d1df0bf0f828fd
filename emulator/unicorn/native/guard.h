/* Keeps guest code from crashing Unicorn's translator, and with it this process: see guard.c. */
#ifndef TRAPGATE_GUARD_H
#define TRAPGATE_GUARD_H

#include <stdint.h>

/* Instructions in a translated block, at most. */
enum { BLOCK_LIMIT = 64 };

/* Bytes of guest code that went through the guard of this thread so far: none when it is not in place. */
uint64_t guard_fetched(void);

#endif
