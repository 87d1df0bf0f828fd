/* Two linked lists in random order, of 16 KiB and of 512 KiB, followed to the end: nothing but loads that wait. */
#include "kernel.h"

enum { SMALL = 1024, LARGE = 32768 };

struct node {
  struct node *next;
  uint64_t value;
};

static struct node small[SMALL], large[LARGE];
static uint32_t order[LARGE];

/* One ring through all nodes (Sattolo's shuffle makes a single cycle). */
static void link_nodes(struct node *nodes, uint32_t size) {
  uint32_t seed = size;
  for (uint32_t i = 0; i < size; i++) order[i] = i;
  for (uint32_t i = size - 1; i > 0; i--) {
    uint32_t other = next_random(&seed) % i, kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  for (uint32_t i = 0; i < size; i++) {
    nodes[i].next = &nodes[order[i]];
    nodes[i].value = i;
  }
}

static uint64_t follow(const struct node *node, int steps) {
  uint64_t sum = 0;
  for (; steps > 0; steps--, node = node->next) sum += node->value;
  return mix(sum, node->value);
}

uint64_t kernel(long count) {
  uint64_t sum = 0;
  link_nodes(small, SMALL);
  link_nodes(large, LARGE);
  for (long i = 0; i < count; i++) {
    sum = mix(sum, follow(&small[i % SMALL], LARGE));
    sum = mix(sum, follow(&large[i % LARGE], LARGE / 2));
  }
  return sum;
}
