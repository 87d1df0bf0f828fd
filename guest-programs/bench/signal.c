/* A signal to itself, its handler, and the way back. */
#include "bench.h"

static volatile long handled;

static void handle(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info, (void)context;
  handled++;
}

int main(int argc, char **argv) {
  long count = iterations(argc, argv), self = sys_getpid();
  sys_handle(SIGUSR1, handle, 0);
  for (long n = count; n > 0; n--) sys_kill(self, SIGUSR1);
  return handled != count;
}
