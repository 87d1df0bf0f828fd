/* Keeps translated blocks short: see bounded-blocks.c. */
#ifndef TRAPGATE_BOUNDED_BLOCKS_H
#define TRAPGATE_BOUNDED_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

/* Instructions in a block, at most. */
enum { BLOCK_LIMIT = 128 };

/* To be called before a library is loaded; once is enough. */
void bounded_blocks_prepare(void);

/* To be called with any function of a loaded library. False when there are too many libraries. */
bool bounded_blocks_add(void *function);

#endif
