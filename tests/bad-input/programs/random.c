/* Prints random bytes, and does a few things that have nothing to do with them. */
#include "sys.h"
#include "text.h"

int main(void) {
  unsigned char bytes[8];
  struct timespec now;
  for (int round = 0; round < 3; round++) {
    SYS3(getrandom, bytes, sizeof bytes, 0);
    char text[17];
    for (int i = 0; i < 8; i++) format(text + 2 * i, 3, "%x%x", bytes[i] >> 4, bytes[i] & 15);
    print("random: %s\n", text);
    SYS2(clock_gettime, 1, &now);
    print("nanoseconds: %ld\n", now.tv_nsec);
    sleep_us(100);
  }
  return 0;
}
