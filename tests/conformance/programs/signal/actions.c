/* Signal actions: flags, masks, defaults and errors of sigaction (sigaction(2), signal(7)). */
#include "threads.h"

static struct kernel_sigaction action_of(int signal) {
  struct kernel_sigaction action = {0};
  expect_value(SYS4(rt_sigaction, signal, 0, &action, 8), 0, "rt_sigaction");
  return action;
}

CASE(old_action, "sigaction gives back handler, flags, restorer and mask as they were set") {
  handle(SIGUSR1, note_signal, SA_RESTART | SA_NODEFER, signal_bit(SIGHUP));
  struct kernel_sigaction old = action_of(SIGUSR1);
  expect_value(old.handler, note_signal, "handler");
  expect_value(old.flags, SA_RESTART | SA_NODEFER | SA_SIGINFO | SA_RESTORER, "flags");
  expect_value(old.restorer, sys_return_from_signal, "restorer");
  expect_value(old.mask, signal_bit(SIGHUP), "mask");
}

CASE(unknown_flags, "unknown sa_flags are dropped, SA_UNSUPPORTED too, so a program can tell what is supported") {
  handle(SIGUSR1, note_signal, SA_UNSUPPORTED | SA_EXPOSE_TAGBITS | 0x40, 0);
  uint64_t flags = action_of(SIGUSR1).flags;
  expect((flags & (SA_UNSUPPORTED | 0x40)) == 0, "flags are 0x%lx", flags);
  expect((flags & SA_EXPOSE_TAGBITS) != 0, "flags are 0x%lx", flags);
}

CASE(mask_cannot_hold_kill, "SIGKILL and SIGSTOP are dropped from sa_mask") {
  handle(SIGUSR1, note_signal, 0, ~0UL);
  expect(action_of(SIGUSR1).mask == ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP)), "mask 0x%lx", action_of(SIGUSR1).mask);
}

CASE(errors, "sigaction refuses SIGKILL, SIGSTOP, bad numbers and bad sizes with EINVAL, and bad pointers with EFAULT") {
  struct kernel_sigaction action = {SIG_IGN, SA_RESTORER, (uint64_t)sys_return_from_signal, 0};
  expect_error(EINVAL, SYS4(rt_sigaction, SIGKILL, &action, 0, 8));
  expect_error(EINVAL, SYS4(rt_sigaction, SIGSTOP, &action, 0, 8));
  expect_error(EINVAL, SYS4(rt_sigaction, 0, &action, 0, 8));
  expect_error(EINVAL, SYS4(rt_sigaction, 65, &action, 0, 8));
  expect_error(EINVAL, SYS4(rt_sigaction, -1, &action, 0, 8));
  expect_error(EINVAL, SYS4(rt_sigaction, SIGUSR1, &action, 0, 4));
  expect_error(EFAULT, SYS4(rt_sigaction, SIGUSR1, 8, 0, 8));
  expect_error(EFAULT, SYS4(rt_sigaction, SIGUSR1, 0, 8, 8));
  expect_value(SYS4(rt_sigaction, SIGKILL, 0, &action, 8), 0, "asking for SIGKILL's action");
  expect_value(action.handler, SIG_DFL, "SIGKILL's action");
}

static volatile uint64_t mask_inside;
static void note_mask(int signal, struct siginfo *info, struct ucontext *context) {
  note_signal(signal, info, context);
  mask_inside = current_mask();
}

CASE(mask_in_handler, "in a handler its own signal and sa_mask are blocked in addition, afterwards no longer") {
  set_mask(SIG_SETMASK, signal_bit(SIGTERM));
  handle(SIGUSR1, note_mask, 0, signal_bit(SIGHUP));
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(mask_inside, signal_bit(SIGTERM) | signal_bit(SIGHUP) | signal_bit(SIGUSR1), "the mask inside");
  expect_value(current_mask(), signal_bit(SIGTERM), "the mask afterwards");
}

CASE(nodefer, "SA_NODEFER does not block the signal itself, but sa_mask may") {
  handle(SIGUSR1, note_mask, SA_NODEFER, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(mask_inside, 0, "the mask inside");
  handle(SIGUSR1, note_mask, SA_NODEFER, signal_bit(SIGUSR1));
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(mask_inside, signal_bit(SIGUSR1), "the mask inside with the signal in sa_mask");
}

static volatile int depth, deepest;
static void send_again(int signal, struct siginfo *info, struct ucontext *context) {
  (void)info, (void)context;
  if (++depth > deepest) deepest = depth;
  if (++noted.count < 3) sys_kill(sys_getpid(), signal);
  depth--;
}

CASE(nodefer_nests, "with SA_NODEFER a signal sent inside its handler nests, without it comes afterwards") {
  handle(SIGUSR1, send_again, SA_NODEFER, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(deepest, 3, "depth with SA_NODEFER");
  noted.count = deepest = 0;
  handle(SIGUSR1, send_again, 0, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(noted.count, 3, "deliveries");
  expect_value(deepest, 1, "depth without SA_NODEFER");
}

CASE(resethand, "SA_RESETHAND puts the default back before the handler runs") {
  handle(SIGCHLD, note_signal, SA_RESETHAND, 0);
  sys_kill(sys_getpid(), SIGCHLD);
  expect_value(noted.count, 1, "deliveries");
  expect_value(action_of(SIGCHLD).handler, SIG_DFL, "the action");
  sys_kill(sys_getpid(), SIGCHLD);
  expect_value(noted.count, 1, "deliveries");
}

CASE(resethand_defers, "SA_RESETHAND alone still blocks the signal while the handler runs") {
  handle(SIGUSR1, note_mask, SA_RESETHAND, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(mask_inside, signal_bit(SIGUSR1), "the mask inside");
}

CASE(no_restorer, "a handler without SA_RESTORER kills the process with SIGSEGV when it is called") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    struct kernel_sigaction action = {(uint64_t)note_signal, 0, 0, 0};
    expect_ok(SYS4(rt_sigaction, SIGUSR1, &action, 0, 8));
    sys_kill(sys_getpid(), SIGUSR1);
    sys_exit_group(0);
  }
  expect_value(WTERMSIG(reap(pid)), SIGSEGV, "the signal");
}

CASE(without_siginfo, "a handler without SA_SIGINFO is called with the signal's number all the same") {
  struct kernel_sigaction action = {(uint64_t)note_signal, SA_RESTORER, (uint64_t)sys_return_from_signal, 0};
  expect_ok(SYS4(rt_sigaction, SIGUSR1, &action, 0, 8));
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(noted.count, 1, "deliveries");
  expect_value(noted.signals[0], SIGUSR1, "the signal");
}

/* --- default actions, one row a signal ------------------------------------------------------------------------------ */

enum { TERMINATES, IGNORES, STOPS };
static void default_action(long argument) {
  int signal = (int)(argument & 0xff), wanted = (int)(argument >> 8);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    struct rlimit none = {0, 0};
    SYS2(setrlimit, RLIMIT_CORE, &none);
    SYS2(setpgid, 0, 0); /* its parent is in another group of the session, so the group is no orphan and may stop */
    sys_kill(sys_getpid(), signal);
    sys_exit_group(9);
  }
  int status;
  expect_value(sys_wait4(pid, &status, WUNTRACED | __WALL), pid, "wait4");
  if (wanted == TERMINATES) expect_value(status, signal, "the wait status");
  if (wanted == IGNORES) expect_value(status, 9 << 8, "the wait status");
  if (wanted == STOPS) {
    expect_value(status, (signal << 8) | 0x7f, "the wait status");
    sys_kill(pid, SIGCONT);
    expect_value(reap(pid), 9 << 8, "the wait status after SIGCONT");
  }
}
#define DEFAULT(signal, wanted, sentence) CASE_ROW(default_##signal, default_action, ((wanted) << 8) | signal, sentence)
DEFAULT(SIGHUP, TERMINATES, "SIGHUP terminates by default")
DEFAULT(SIGINT, TERMINATES, "SIGINT terminates by default")
DEFAULT(SIGQUIT, TERMINATES, "SIGQUIT terminates by default")
DEFAULT(SIGILL, TERMINATES, "SIGILL terminates by default")
DEFAULT(SIGTRAP, TERMINATES, "SIGTRAP terminates by default")
DEFAULT(SIGABRT, TERMINATES, "SIGABRT terminates by default")
DEFAULT(SIGBUS, TERMINATES, "SIGBUS terminates by default")
DEFAULT(SIGFPE, TERMINATES, "SIGFPE terminates by default")
DEFAULT(SIGKILL, TERMINATES, "SIGKILL terminates")
DEFAULT(SIGUSR1, TERMINATES, "SIGUSR1 terminates by default")
DEFAULT(SIGPIPE, TERMINATES, "SIGPIPE terminates by default")
DEFAULT(SIGALRM, TERMINATES, "SIGALRM terminates by default")
DEFAULT(SIGTERM, TERMINATES, "SIGTERM terminates by default")
DEFAULT(SIGSTKFLT, TERMINATES, "SIGSTKFLT terminates by default")
DEFAULT(SIGXCPU, TERMINATES, "SIGXCPU terminates by default")
DEFAULT(SIGXFSZ, TERMINATES, "SIGXFSZ terminates by default")
DEFAULT(SIGVTALRM, TERMINATES, "SIGVTALRM terminates by default")
DEFAULT(SIGPROF, TERMINATES, "SIGPROF terminates by default")
DEFAULT(SIGIO, TERMINATES, "SIGIO terminates by default")
DEFAULT(SIGPWR, TERMINATES, "SIGPWR terminates by default")
DEFAULT(SIGSYS, TERMINATES, "SIGSYS terminates by default")
DEFAULT(SIGRTMAX, TERMINATES, "a real-time signal terminates by default")
DEFAULT(SIGCHLD, IGNORES, "SIGCHLD is ignored by default")
DEFAULT(SIGCONT, IGNORES, "SIGCONT is ignored by default when nothing is stopped")
DEFAULT(SIGURG, IGNORES, "SIGURG is ignored by default")
DEFAULT(SIGWINCH, IGNORES, "SIGWINCH is ignored by default")
DEFAULT(SIGSTOP, STOPS, "SIGSTOP stops")
DEFAULT(SIGTSTP, STOPS, "SIGTSTP stops by default")
DEFAULT(SIGTTIN, STOPS, "SIGTTIN stops by default")
DEFAULT(SIGTTOU, STOPS, "SIGTTOU stops by default")

static int ignore_usr1(void *unused) {
  (void)unused;
  return (int)sys_set_action(SIGUSR1, SIG_IGN);
}

CASE(shared_by_threads, "threads share the actions: what one sets, the other has") {
  join_thread(start_thread(ignore_usr1, 0));
  expect_value(action_of(SIGUSR1).handler, SIG_IGN, "the action");
}

CASE(clear_sighand, "clone3 with CLEAR_SIGHAND resets handlers and keeps what is ignored") {
  sys_handle(SIGUSR1, note_signal, 0);
  sys_set_action(SIGUSR2, SIG_IGN);
  struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
  long pid = expect_ok(SYS2(clone3, &args, sizeof args));
  if (pid == 0) {
    expect_value(action_of(SIGUSR1).handler, SIG_DFL, "SIGUSR1");
    expect_value(action_of(SIGUSR2).handler, SIG_IGN, "SIGUSR2");
    sys_exit_group(0);
  }
  reap_good(pid);
}

MAIN("signal.actions")
