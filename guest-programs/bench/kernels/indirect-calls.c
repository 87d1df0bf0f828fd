/* Shapes that know their own area and growth: calls through pointers in tables, of eight kinds in a random order. */
#include "kernel.h"

enum { SHAPES = 1024, KINDS = 8 };

struct shape;
struct kind {
  uint64_t (*area)(const struct shape *);
  void (*grow)(struct shape *);
};
struct shape {
  const struct kind *kind;
  uint64_t width, height;
};

static uint64_t rectangle(const struct shape *s) { return s->width * s->height; }
static uint64_t triangle(const struct shape *s) { return s->width * s->height / 2; }
static uint64_t square(const struct shape *s) { return s->width * s->width; }
static uint64_t frame(const struct shape *s) { return 2 * (s->width + s->height); }
static void widen(struct shape *s) { s->width = (s->width + 3) & 1023; }
static void heighten(struct shape *s) { s->height = (s->height + 5) & 1023; }

static const struct kind kinds[KINDS] = {
    {rectangle, widen}, {triangle, widen}, {square, widen}, {frame, widen},
    {rectangle, heighten}, {triangle, heighten}, {square, heighten}, {frame, heighten},
};
static struct shape shapes[SHAPES];

uint64_t kernel(long count) {
  uint32_t seed = 1;
  uint64_t sum = 0;
  for (int i = 0; i < SHAPES; i++) {
    shapes[i].kind = &kinds[next_random(&seed) % KINDS];
    shapes[i].width = next_random(&seed) & 1023;
    shapes[i].height = next_random(&seed) & 1023;
  }
  for (; count > 0; count--)
    for (int i = 0; i < SHAPES; i++) {
      struct shape *shape = &shapes[i];
      shape->kind->grow(shape);
      sum += shape->kind->area(shape);
    }
  return sum;
}
