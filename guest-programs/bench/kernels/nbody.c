/* Sun and four planets pull at each other: scalar doubles, with divisions and square roots. */
#include "kernel.h"

enum { BODIES = 5, STEPS = 1000 };

struct body {
  double x[3], v[3], mass;
};

static struct body bodies[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, 39.5},
    {{4.8, -1.2, -0.1}, {0.6, 2.8, -0.02}, 0.038},
    {{8.3, 4.1, -0.4}, {-1.0, 1.8, 0.008}, 0.011},
    {{12.9, -15.1, -0.2}, {1.1, 0.87, -0.01}, 0.0017},
    {{15.4, -25.9, 0.18}, {0.98, 0.59, -0.03}, 0.002},
};

static double square_root(double x) {
  __asm__("sqrtsd %0, %0" : "+x"(x));
  return x;
}

static void step(double dt) {
  for (int i = 0; i < BODIES; i++)
    for (int j = i + 1; j < BODIES; j++) {
      struct body *a = &bodies[i], *b = &bodies[j];
      double dx = a->x[0] - b->x[0], dy = a->x[1] - b->x[1], dz = a->x[2] - b->x[2];
      double square = dx * dx + dy * dy + dz * dz, pull = dt / (square * square_root(square));
      a->v[0] -= dx * b->mass * pull, a->v[1] -= dy * b->mass * pull, a->v[2] -= dz * b->mass * pull;
      b->v[0] += dx * a->mass * pull, b->v[1] += dy * a->mass * pull, b->v[2] += dz * a->mass * pull;
    }
  for (int i = 0; i < BODIES; i++)
    for (int axis = 0; axis < 3; axis++) bodies[i].x[axis] += dt * bodies[i].v[axis];
}

uint64_t kernel(long count) {
  uint64_t sum = 0;
  for (; count > 0; count--)
    for (int i = 0; i < STEPS; i++) step(0.001);
  for (int i = 0; i < BODIES; i++)
    for (int axis = 0; axis < 3; axis++) {
      union {
        double number;
        uint64_t bits;
      } position = {bodies[i].x[axis]};
      sum = mix(sum, position.bits);
    }
  return sum;
}
