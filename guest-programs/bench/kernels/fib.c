/* Fibonacci numbers by recursion: calls, returns, and pushes to the stack. */
#include "kernel.h"

/* gcc would inline many levels of the recursion into one. */
__attribute__((noinline, optimize("no-inline", "no-optimize-sibling-calls"))) static uint64_t fib(uint64_t n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

uint64_t kernel(long count) {
  uint64_t sum = 0;
  for (; count > 0; count--) sum = mix(sum, fib(24));
  return sum;
}
