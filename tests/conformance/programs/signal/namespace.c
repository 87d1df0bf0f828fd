/* Signals and pid namespaces: who is named in si_pid, and what reaches a namespace's init (pid_namespaces(7)). */
#include "threads.h"

/* Runs a function as init of a new pid namespace; gives its pid outside. */
static long start_init(void (*function)(void)) {
  long pid = SYS5(clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    function();
    sys_exit_group(0);
  }
  if (pid == -EPERM) case_skips("no privilege to make a pid namespace");
  return expect_ok(pid);
}

static void note_sender(void) {
  struct siginfo info;
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  shared->words[0] = 1;
  expect_value(await_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "sigtimedwait");
  shared->words[1] = info.si_pid + 1;
}

CASE(sender_outside, "a sender outside of the receiver's namespace appears with si_pid 0") {
  set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
  long pid = start_init(note_sender);
  wait_until(shared->words[0], "init is ready");
  sys_kill(pid, SIGUSR1);
  reap_good(pid);
  expect_value(shared->words[1] - 1, 0, "si_pid");
}

static void send_out(void) {
  expect_value(sys_getpid(), 1, "getpid");
  shared->words[0] = 1;
  wait_until(shared->words[2], "the parent has gone on");
}

CASE(sigchld_from_inside, "SIGCHLD and wait4 name a child in a deeper namespace by its number here") {
  struct siginfo info;
  set_mask(SIG_BLOCK, signal_bit(SIGCHLD));
  long pid = start_init(send_out);
  shared->words[2] = 1;
  expect_value(await_signal(signal_bit(SIGCHLD), &info), SIGCHLD, "sigtimedwait");
  expect_value(info.si_pid, pid, "si_pid");
  expect_value(sys_wait4(-1, 0, 0), pid, "wait4");
}

static void init_sends_itself(void) {
  /* None of these has a handler, so none reaches init; SIGKILL and SIGSTOP do not either when they come from inside. */
  static const int signals[] = {SIGTERM, SIGKILL, SIGSTOP, SIGHUP, SIGQUIT, SIGTSTP, 40};
  for (int i = 0; i < LENGTH(signals); i++) sys_kill(1, signals[i]);
  long child = sys_fork();
  if (child == 0) {
    for (int i = 0; i < LENGTH(signals); i++) sys_kill(1, signals[i]);
    sys_exit_group(0);
  }
  reap_good(child);
  shared->words[0] = 1;
}

CASE(immune_inside, "no signal without a handler reaches a namespace's init from inside, not even SIGKILL") {
  reap_good(start_init(init_sends_itself));
  expect_value(shared->words[0], 1, "init came to its end");
}

static void init_with_handler(void) {
  sys_handle(SIGTERM, note_signal, 0);
  sys_kill(1, SIGTERM);
  expect_value(noted.count, 1, "handler calls");
}
CASE(handler_inside, "a signal with a handler reaches init from inside") { reap_good(start_init(init_with_handler)); }

static void wait_for_ever(void) {
  shared->words[0] = 1;
  for (;;) SYS0(pause);
}

CASE(killed_from_outside, "SIGKILL from an ancestor namespace ends init") {
  long pid = start_init(wait_for_ever);
  wait_until(shared->words[0], "init is ready");
  sys_kill(pid, SIGKILL);
  expect_value(reap(pid), SIGKILL, "the wait status");
}

CASE(stopped_from_outside, "SIGSTOP from an ancestor namespace stops init") {
  int status;
  long pid = start_init(wait_for_ever);
  wait_until(shared->words[0], "init is ready");
  sys_kill(pid, SIGSTOP);
  expect_value(sys_wait4(pid, &status, WUNTRACED), pid, "wait4");
  sys_kill(pid, SIGKILL);
  sys_kill(pid, SIGCONT);
  reap(pid);
}

CASE(term_from_outside, "SIGTERM from an ancestor namespace does not reach an init without a handler") {
  long pid = start_init(wait_for_ever);
  wait_until(shared->words[0], "init is ready");
  sys_kill(pid, SIGTERM);
  sleep_us(3000);
  expect_value(sys_wait4(pid, 0, WNOHANG), 0, "wait4");
  sys_kill(pid, SIGKILL);
  reap(pid);
}

static void init_faults(void) { *(volatile char *)8 = 1; }
CASE(fault_kills_init, "a fault without a handler kills init all the same") {
  expect_value(WTERMSIG(reap(start_init(init_faults))), SIGSEGV, "the signal");
}

static void init_with_children(void) {
  long pid = sys_fork();
  if (pid == 0) {
    long grandchild = sys_fork();
    if (grandchild == 0) {
      shared->words[2] = 1;
      for (;;) SYS0(pause);
    }
    shared->words[1] = 1;
    for (;;) SYS0(pause);
  }
  wait_until(shared->words[1] && shared->words[2], "the family is complete");
}

CASE(init_death_kills_all, "when init dies all processes of its namespace die with it") {
  int before = count_processes();
  reap_good(start_init(init_with_children));
  wait_until(count_processes() <= before, "the others are gone");
}

static void block_and_ignore(void) {
  set_mask(SIG_BLOCK, signal_bit(SIGTERM));
  sys_kill(1, SIGTERM); /* no handler and blocked: Linux keeps it, for somebody may install one */
  shared->words[0] = (pending_signals() & signal_bit(SIGTERM)) != 0;
}

CASE(blocked_at_init, "a blocked signal without a handler stays pending for init") {
  reap_good(start_init(block_and_ignore));
  expect_value(shared->words[0], 1, "SIGTERM pending");
}

static void queue_to_child(void) {
  long child = sys_fork();
  if (child == 0) {
    struct siginfo info;
    set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
    shared->words[0] = 1;
    expect_value(await_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "sigtimedwait");
    expect_value(info.si_pid, 1, "si_pid");
    sys_exit_group(0);
  }
  wait_until(shared->words[0], "the child is ready");
  sys_kill(child, SIGUSR1);
  reap_good(child);
}
CASE(sender_inside, "a sender in the same namespace is named by its number there") { reap_good(start_init(queue_to_child)); }

CASE(uid_mapped, "si_uid is translated into the receiver's user namespace, 65534 when it has no number there") {
  long pid = SYS5(clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    struct siginfo info;
    set_mask(SIG_BLOCK, signal_bit(SIGUSR1));
    shared->words[0] = 1;
    expect_value(await_signal(signal_bit(SIGUSR1), &info), SIGUSR1, "sigtimedwait");
    expect_value(info.si_uid, 65534, "si_uid");
    sys_exit_group(0);
  }
  expect_ok(pid);
  wait_until(shared->words[0], "the child is ready");
  sys_kill(pid, SIGUSR1);
  reap_good(pid);
}

MAIN("signal.namespace")
