/* Signals: the kernel interrupts a program and makes it call a function it never called.
 *
 * Shown in order: a handler and where it came from, blocking and what waits meanwhile, a system call interrupted and one
 * restarted, a handler on its own stack, and the difference between ignoring, defaulting and handling. */
#include "sys.h"
#include "text.h"

static volatile int caught, sender_is_me;
static volatile unsigned long handler_stack;

static void on_signal(int signal, struct siginfo *info, struct ucontext *context) {
  (void)context;
  caught += signal;
  sender_is_me = info->si_pid == sys_getpid();
  handler_stack = (unsigned long)__builtin_frame_address(0);
}

static int failures;

static void check(int good, const char *sentence) {
  print("%s %s\n", good ? "yes:" : "NO: ", sentence);
  failures += !good;
}

static void handle_one(void) {
  sys_handle(SIGUSR1, on_signal, 0);
  caught = 0;
  sys_kill(sys_getpid(), SIGUSR1);
  /* A process that signals itself has been through the handler before kill() returns. */
  check(caught == SIGUSR1 && sender_is_me, "the handler ran before kill() returned and knows its sender");
}

static void block_and_release(void) {
  uint64_t mask = signal_bit(SIGUSR1), pending = 0;
  caught = 0;
  SYS4(rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
  sys_kill(sys_getpid(), SIGUSR1);
  sys_kill(sys_getpid(), SIGUSR1);
  SYS2(rt_sigpending, &pending, 8);
  check(caught == 0 && (pending & mask), "a blocked signal waits");
  SYS4(rt_sigprocmask, SIG_UNBLOCK, &mask, 0, 8);
  check(caught == SIGUSR1, "sent twice while blocked, it arrives once");
}

/* A child signals its parent, which sits in read(); then writes a byte. */
static long interrupted_read(uint64_t flags) {
  int ends[2];
  char byte;
  sys_handle(SIGUSR1, on_signal, flags);
  sys_pipe(ends);
  long parent = sys_getpid(), child = sys_fork();
  if (child == 0) {
    sleep_us(20000);
    sys_kill(parent, SIGUSR1);
    sleep_us(20000);
    sys_write(ends[1], "!", 1);
    sys_exit_group(0);
  }
  caught = 0;
  long result = sys_read(ends[0], &byte, 1);
  sys_wait4(child, 0, 0);
  sys_close(ends[0]);
  sys_close(ends[1]);
  return result;
}

static void interrupt_and_restart(void) {
  check(interrupted_read(0) == -EINTR && caught, "a signal interrupts read(): EINTR");
  check(interrupted_read(SA_RESTART) == 1 && caught, "with SA_RESTART the same read() goes on and gets its byte");
}

static void own_stack(void) {
  static char area[16384];
  struct stack_description stack = {(uint64_t)area, 0, 0, sizeof area};
  SYS2(sigaltstack, &stack, 0);
  sys_handle(SIGUSR2, on_signal, SA_ONSTACK);
  sys_kill(sys_getpid(), SIGUSR2);
  check(handler_stack > (unsigned long)area && handler_stack <= (unsigned long)area + sizeof area,
        "with SA_ONSTACK the handler runs on the alternate stack");
}

/* How does a child end when SIGTERM comes? */
static int status_after(uint64_t action) {
  int status = 0;
  long child = sys_fork();
  if (child == 0) {
    sys_set_action(SIGTERM, action);
    sys_kill(sys_getpid(), SIGTERM);
    sys_exit_group(7);
  }
  sys_wait4(child, &status, 0);
  return status;
}

static void ignore_or_die(void) {
  check(WTERMSIG(status_after(SIG_DFL)) == SIGTERM, "SIGTERM's default action ends the process");
  check(WEXITSTATUS(status_after(SIG_IGN)) == 7, "ignored, it does nothing");
}

int main(void) {
  handle_one();
  block_and_release();
  interrupt_and_restart();
  own_stack();
  ignore_or_die();
  return failures != 0;
}
