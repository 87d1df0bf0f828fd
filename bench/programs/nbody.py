"""Five bodies pull at each other: floats, lists and tuples, in one function."""

import sys
from itertools import combinations

BODIES = [
    ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 39.5),
    ([4.8, -1.2, -0.1], [0.6, 2.8, -0.02], 0.038),
    ([8.3, 4.1, -0.4], [-1.0, 1.8, 0.008], 0.011),
    ([12.9, -15.1, -0.2], [1.1, 0.87, -0.01], 0.0017),
    ([15.4, -25.9, 0.18], [0.98, 0.59, -0.03], 0.002),
]


def advance(steps, dt=0.001):
    pairs = list(combinations(BODIES, 2))
    for _ in range(steps):
        for (a, va, ma), (b, vb, mb) in pairs:
            dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
            square = dx * dx + dy * dy + dz * dz
            pull = dt / (square * square**0.5)
            for axis, distance in enumerate((dx, dy, dz)):
                va[axis] -= distance * mb * pull
                vb[axis] += distance * ma * pull
        for x, v, _ in BODIES:
            for axis in range(3):
                x[axis] += dt * v[axis]


advance(int(sys.argv[1]))
for position, _, _ in BODIES:
    print(*map(repr, position))
