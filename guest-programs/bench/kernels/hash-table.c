/* Words counted in a hash table with open addressing: small functions called for every byte string, and strings compared. */
#include "kernel.h"

enum { SLOTS = 4096, WORDS = 2000, WORD_SIZE = 12 };

struct slot {
  const char *word;
  uint32_t hash, count;
};

static char words[WORDS][WORD_SIZE];
static struct slot slots[SLOTS];

/* FNV-1a. */
__attribute__((noinline)) static uint32_t hash(const char *word) {
  uint32_t value = 2166136261u;
  for (; *word; word++) value = (value ^ (uint8_t)*word) * 16777619u;
  return value;
}

__attribute__((noinline)) static int is_same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

__attribute__((noinline)) static struct slot *find(const char *word) {
  uint32_t wanted = hash(word);
  struct slot *slot = &slots[wanted % SLOTS];
  while (slot->word && (slot->hash != wanted || !is_same(slot->word, word)))
    slot = slot == &slots[SLOTS - 1] ? slots : slot + 1;
  slot->hash = wanted;
  return slot;
}

uint64_t kernel(long count) {
  uint32_t seed = 1;
  uint64_t sum = 0;
  for (int i = 0; i < WORDS; i++)
    for (uint32_t at = 0, length = 3 + next_random(&seed) % 8; at < length; at++)
      words[i][at] = (char)('a' + next_random(&seed) % 26);
  for (; count > 0; count--)
    for (int i = 0; i < WORDS; i++) {
      const char *word = words[next_random(&seed) % WORDS];
      struct slot *slot = find(word);
      slot->word = word;
      sum = mix(sum, ++slot->count);
    }
  return sum;
}
