/* Arithmetic in registers, each step needing the one before: no memory, no calls, one branch an iteration. */
#include "bench.h"

int main(int argc, char **argv) {
  unsigned long value = 0x9e3779b97f4a7c15UL;
  for (long n = iterations(argc, argv); n > 0; n--) {
    value ^= value << 13;
    value ^= value >> 7;
    value ^= value << 17;
    value = value * 0x2545f4914f6cdd1dUL + (unsigned long)n;
  }
  keep(value);
  return value == 0;
}
