/* The sieve of Eratosthenes up to 65536, argv[1] times: byte stores with a stride. */
#include "bench.h"

enum { LIMIT = 65536, PRIMES = 6542 };

static unsigned char composite[LIMIT];

static int sieve(void) {
  int primes = 0;
  memset(composite, 0, sizeof composite);
  for (int i = 2; i < LIMIT; i++) {
    if (composite[i]) continue;
    primes++;
    for (long multiple = (long)i * i; multiple < LIMIT; multiple += i) composite[multiple] = 1;
  }
  return primes;
}

int main(int argc, char **argv) {
  for (long n = iterations(argc, argv); n > 0; n--)
    if (sieve() != PRIMES) return 1;
  return 0;
}
