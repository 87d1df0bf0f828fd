/* What siginfo_t says, for every origin of a signal (sigaction(2)). */
#include "threads.h"

static uint64_t usr1(void) { return signal_bit(SIGUSR1); }

static struct siginfo taken(int signal) {
  struct siginfo info;
  memset(&info, 0x55, sizeof info);
  expect_value(await_signal(signal_bit(signal), &info), signal, "sigtimedwait");
  expect_value(info.si_signo, signal, "si_signo");
  expect_value(info.si_errno, 0, "si_errno");
  return info;
}

CASE(from_kill, "kill gives SI_USER with the sender's pid and real uid") {
  set_mask(SIG_BLOCK, usr1());
  long parent = sys_getpid();
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    expect_ok(SYS3(setresuid, 1234, 0, 0));
    expect_ok(sys_kill(parent, SIGUSR1));
    sys_exit_group(0);
  }
  struct siginfo info = taken(SIGUSR1);
  expect_value(info.si_code, SI_USER, "si_code");
  expect_value(info.si_pid, pid, "si_pid");
  expect_value(info.si_uid, 1234, "si_uid");
  reap_good(pid);
}

CASE(from_tkill, "tkill and tgkill give SI_TKILL with the sender's process id") {
  set_mask(SIG_BLOCK, usr1());
  expect_ok(SYS2(tkill, sys_gettid(), SIGUSR1));
  struct siginfo info = taken(SIGUSR1);
  expect_value(info.si_code, SI_TKILL, "si_code");
  expect_value(info.si_pid, sys_getpid(), "si_pid");
  expect_ok(SYS3(tgkill, sys_getpid(), sys_gettid(), SIGUSR1));
  expect_value(taken(SIGUSR1).si_code, SI_TKILL, "si_code of tgkill");
}

CASE(from_sigqueue, "sigqueue carries si_code, si_pid, si_uid and a 64-bit value as given") {
  set_mask(SIG_BLOCK, usr1());
  struct siginfo sent = {.si_signo = 99, .si_code = SI_QUEUE};
  sent.si_pid = 4711, sent.si_uid = 42;
  set_si_value(&sent, 0x1122334455667788);
  expect_ok(SYS3(rt_sigqueueinfo, sys_getpid(), SIGUSR1, &sent));
  struct siginfo info = taken(SIGUSR1);
  expect_value(info.si_code, SI_QUEUE, "si_code");
  expect_value(info.si_pid, 4711, "si_pid");
  expect_value(info.si_uid, 42, "si_uid");
  expect_value(si_value(&info), 0x1122334455667788, "the value");
}

CASE(from_tgsigqueue, "rt_tgsigqueueinfo carries the value to one thread") {
  set_mask(SIG_BLOCK, usr1());
  struct siginfo sent = {.si_code = SI_QUEUE};
  set_si_value(&sent, 7);
  expect_ok(SYS4(rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), SIGUSR1, &sent));
  struct siginfo info = taken(SIGUSR1);
  expect_value(info.si_code, SI_QUEUE, "si_code");
  expect_value(si_value(&info), 7, "the value");
}

enum { EXIT_7, DIE_OF_TERM, STOP_BY_STOP };
static void child_info(long how) {
  set_mask(SIG_BLOCK, signal_bit(SIGCHLD));
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    SYS3(setresuid, 77, 77, -1);
    if (how == EXIT_7) sys_exit_group(7);
    sys_kill(sys_getpid(), how == DIE_OF_TERM ? SIGTERM : SIGSTOP);
    sys_exit_group(0);
  }
  struct siginfo info = taken(SIGCHLD);
  expect_value(info.si_pid, pid, "si_pid");
  expect_value(info.si_uid, 77, "si_uid");
  expect_value(info.si_code, how == EXIT_7 ? CLD_EXITED : how == DIE_OF_TERM ? CLD_KILLED : CLD_STOPPED, "si_code");
  expect_value(info.si_status, how == EXIT_7 ? 7 : how == DIE_OF_TERM ? SIGTERM : SIGSTOP, "si_status");
  if (how == STOP_BY_STOP) {
    sys_kill(pid, SIGCONT);
    info = taken(SIGCHLD);
    expect_value(info.si_code, CLD_CONTINUED, "si_code after SIGCONT");
    expect_value(info.si_status, SIGCONT, "si_status after SIGCONT");
    expect_value(info.si_pid, pid, "si_pid after SIGCONT");
  }
  reap(pid);
}
CASE_ROW(child_exited, child_info, EXIT_7, "SIGCHLD of a child that exits says CLD_EXITED, its pid, uid and exit status")
CASE_ROW(child_killed, child_info, DIE_OF_TERM, "SIGCHLD of a child that is killed says CLD_KILLED and the signal")
CASE_ROW(child_stopped, child_info, STOP_BY_STOP, "SIGCHLD of a child that stops and goes on says CLD_STOPPED, then CLD_CONTINUED")

CASE(core_dumped_or_not, "a child that dies of SIGSEGV with RLIMIT_CORE 0 says CLD_KILLED, without the core flag") {
  set_mask(SIG_BLOCK, signal_bit(SIGCHLD));
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    struct rlimit none = {0, 0};
    expect_ok(SYS2(setrlimit, RLIMIT_CORE, &none));
    sys_kill(sys_getpid(), SIGSEGV);
    sys_exit_group(0);
  }
  struct siginfo info = taken(SIGCHLD);
  expect_value(info.si_code, CLD_KILLED, "si_code");
  expect_value(info.si_status, SIGSEGV, "si_status");
  expect_value(reap(pid), SIGSEGV, "the wait status");
}

/* --- faults --------------------------------------------------------------------------------------------------------- */

static struct {
  volatile int signal, code, trapno, err, count;
  volatile uint64_t address, rip, cr2;
} fault;

static void note_fault(int signal, struct siginfo *info, struct ucontext *context) {
  fault.signal = signal;
  fault.code = info->si_code;
  fault.address = info->si_addr;
  fault.rip = context->rip;
  fault.trapno = (int)rest_of(context)->trapno;
  fault.err = (int)rest_of(context)->err;
  fault.cr2 = rest_of(context)->cr2;
  fault.count++;
  context->rflags &= ~0x100UL;
  context->rip = context->rbx; /* the way on is in rbx, see FAULTING */
}

#define FAULTING(instruction, ...)                                                                  \
  __asm__ volatile("lea 1f(%%rip), %%rbx\n lea 2f(%%rip), %%r12\n 2:" instruction "\n1:\n"           \
                   "mov %%r12, %0"                                                                  \
                   : "=m"(expected_rip)                                                             \
                   : __VA_ARGS__                                                                    \
                   : "rax", "rbx", "rcx", "rdx", "r12", "memory", "cc")
static volatile uint64_t expected_rip;

static void watch_faults(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
  for (int i = 0; i < LENGTH(signals); i++) sys_handle(signals[i], note_fault, 0);
}

static void expect_fault(int line, int signal, int code, uint64_t address, int trapno) {
  if (fault.count != 1) case_fails(line, "%d faults instead of one", fault.count);
  if (fault.signal != signal || fault.code != code)
    case_fails(line, "signal %d with si_code %d; wanted %d with %d", fault.signal, fault.code, signal, code);
  if (fault.address != address) case_fails(line, "si_addr is 0x%lx; wanted 0x%lx", fault.address, address);
  if (fault.trapno != trapno) case_fails(line, "trapno is %d; wanted %d", fault.trapno, trapno);
}

CASE(unmapped_read, "reading an unmapped page gives SEGV_MAPERR with the address, trap 14 and error code 4") {
  watch_faults();
  uint64_t hole = (uint64_t)guard(1) + 123;
  FAULTING("movb (%1), %%al", "r"(hole));
  expect_fault(__LINE__, SIGSEGV, SEGV_MAPERR, hole, 14);
  expect_value(fault.err, 4, "the error code");
  expect_value(fault.cr2, hole, "cr2");
  expect_value(fault.rip, expected_rip, "rip");
}

CASE(unmapped_write, "writing an unmapped page gives SEGV_MAPERR and error code 6") {
  watch_faults();
  uint64_t hole = (uint64_t)guard(1);
  FAULTING("movb %%al, (%1)", "r"(hole));
  expect_fault(__LINE__, SIGSEGV, SEGV_MAPERR, hole, 14);
  expect_value(fault.err, 6, "the error code");
}

CASE(readonly_write, "writing a read-only page gives SEGV_ACCERR and error code 7 when the page is present") {
  watch_faults();
  char *page = low_memory(PAGE_SIZE);
  page[5] = 1;
  expect_ok(SYS3(mprotect, page, PAGE_SIZE, PROT_READ));
  FAULTING("movb %%al, (%1)", "r"(page + 5));
  expect_fault(__LINE__, SIGSEGV, SEGV_ACCERR, (uint64_t)page + 5, 14);
  expect_value(fault.err, 7, "the error code");
}

CASE(none_read, "reading a PROT_NONE page gives SEGV_ACCERR") {
  watch_faults();
  char *page = low_memory(PAGE_SIZE);
  expect_ok(SYS3(mprotect, page, PAGE_SIZE, PROT_NONE));
  FAULTING("movb (%1), %%al", "r"(page));
  expect_fault(__LINE__, SIGSEGV, SEGV_ACCERR, (uint64_t)page, 14);
}

CASE(no_exec, "jumping to a page without PROT_EXEC gives SEGV_ACCERR at that address, error code 0x15") {
  watch_faults();
  char *page = low_memory(PAGE_SIZE);
  page[0] = (char)0xc3;
  FAULTING("jmp *%1", "r"(page));
  expect_fault(__LINE__, SIGSEGV, SEGV_ACCERR, (uint64_t)page, 14);
  expect_value(fault.rip, page, "rip");
  expect_value(fault.err, 0x15, "the error code");
}

CASE(non_canonical, "a non-canonical address gives SI_KERNEL with si_addr 0, trap 13") {
  watch_faults();
  FAULTING("movb (%1), %%al", "r"(0x0100000000000000UL));
  expect_fault(__LINE__, SIGSEGV, SI_KERNEL, 0, 13);
}

CASE(kernel_half, "reading a kernel address gives SEGV_MAPERR with that address") {
  watch_faults();
  FAULTING("movb (%1), %%al", "r"(0xffff888000000000UL));
  expect(fault.signal == SIGSEGV && fault.code == SEGV_MAPERR, "signal %d, si_code %d", fault.signal, fault.code);
  expect(fault.address == 0xffff888000000000UL, "si_addr is 0x%lx", fault.address);
}

CASE(privileged, "a privileged instruction gives SIGSEGV with SI_KERNEL, trap 13") {
  watch_faults();
  FAULTING("hlt", "r"(0));
  expect_fault(__LINE__, SIGSEGV, SI_KERNEL, 0, 13);
  expect_value(fault.rip, expected_rip, "rip");
}

CASE(divide, "dividing by zero gives SIGFPE FPE_INTDIV with the instruction's address, trap 0") {
  watch_faults();
  FAULTING("xor %%edx, %%edx\n xor %%ecx, %%ecx\n lea 3f(%%rip), %%r12\n 3: div %%ecx", "r"(0));
  expect_fault(__LINE__, SIGFPE, FPE_INTDIV, expected_rip, 0);
  expect_value(fault.rip, expected_rip, "rip");
}

CASE(divide_overflow, "a quotient that does not fit gives SIGFPE FPE_INTDIV too") {
  watch_faults();
  FAULTING("mov $0x80000000, %%eax\n cltd\n mov $-1, %%ecx\n lea 3f(%%rip), %%r12\n 3: idiv %%ecx", "r"(0));
  expect_fault(__LINE__, SIGFPE, FPE_INTDIV, expected_rip, 0);
}

CASE(illegal, "ud2 gives SIGILL ILL_ILLOPN with the instruction's address, trap 6") {
  watch_faults();
  FAULTING("ud2", "r"(0));
  expect_fault(__LINE__, SIGILL, ILL_ILLOPN, expected_rip, 6);
}

CASE(breakpoint, "int3 gives SIGTRAP with SI_KERNEL, trap 3 and rip behind it") {
  watch_faults();
  FAULTING("int3", "r"(0));
  expect_fault(__LINE__, SIGTRAP, SI_KERNEL, 0, 3);
  expect_value(fault.rip, expected_rip + 1, "rip");
}

CASE(single_step, "the trap flag gives SIGTRAP TRAP_TRACE behind the next instruction") {
  watch_faults();
  FAULTING("pushf\n orq $0x100, (%%rsp)\n popf\n nop\n nop", "r"(0));
  expect_value(fault.count, 1, "traps");
  expect(fault.signal == SIGTRAP && fault.code == TRAP_TRACE, "signal %d, si_code %d", fault.signal, fault.code);
  expect_value(fault.rip, expected_rip + 11, "rip: behind the first nop");
  expect_value(fault.address, fault.rip, "si_addr");
  expect_value(fault.trapno, 1, "trapno");
}

CASE(beyond_file, "touching a mapping behind the end of its file gives SIGBUS BUS_ADRERR") {
  watch_faults();
  own_folder();
  make_file("file", "x", 1, 0644);
  long fd = expect_ok(sys_open("file", O_RDWR, 0));
  long map = expect_ok(sys_mmap(0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0));
  FAULTING("movb (%1), %%al", "r"(map + (long)PAGE_SIZE + 8));
  expect_fault(__LINE__, SIGBUS, BUS_ADRERR, (uint64_t)map + PAGE_SIZE + 8, 14);
}

CASE(blocked_fault, "a fault whose signal is blocked kills the process") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    watch_faults();
    set_mask(SIG_BLOCK, ~0UL);
    *(volatile char *)8 = 1;
    sys_exit_group(0);
  }
  expect_value(WTERMSIG(reap(pid)), SIGSEGV, "the signal");
}

CASE(ignored_fault, "a fault whose signal is ignored kills the process") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    sys_set_action(SIGSEGV, SIG_IGN);
    *(volatile char *)8 = 1;
    sys_exit_group(0);
  }
  expect_value(WTERMSIG(reap(pid)), SIGSEGV, "the signal");
}

CASE(read_copy_fault, "a system call with a bad pointer gives EFAULT and no signal") {
  watch_faults();
  int ends[2];
  sys_pipe(ends);
  expect_error(EFAULT, sys_write(ends[1], (void *)8, 1));
  expect_value(fault.count, 0, "signals");
}

CASE(alarm_info, "alarm and ITIMER_REAL give SIGALRM with SI_KERNEL") {
  set_mask(SIG_BLOCK, signal_bit(SIGALRM));
  struct itimerval soon = {{0, 0}, {0, 1000}};
  expect_ok(SYS3(setitimer, ITIMER_REAL, &soon, 0));
  expect_value(taken(SIGALRM).si_code, SI_KERNEL, "si_code");
}

CASE(timer_info, "a timer gives SI_TIMER with its id, the overrun and the value") {
  set_mask(SIG_BLOCK, usr1());
  struct sigevent event = {.sigev_value = 0xabcdef0123, .sigev_signo = SIGUSR1, .sigev_notify = SIGEV_SIGNAL};
  int id = -1;
  expect_ok(SYS3(timer_create, CLOCK_MONOTONIC, &event, &id));
  struct itimerspec soon = {{0, 0}, {0, 1000000}};
  expect_ok(SYS4(timer_settime, id, 0, &soon, 0));
  struct siginfo info = taken(SIGUSR1);
  expect_value(info.si_code, SI_TIMER, "si_code");
  expect_value(si_timerid(&info), id, "si_timerid");
  expect_value(si_overrun(&info), 0, "si_overrun");
  expect_value(si_value(&info), 0xabcdef0123, "the value");
}

CASE(pipe_info, "SIGPIPE comes with SI_USER from the writer itself, to the writing thread") {
  int ends[2];
  set_mask(SIG_BLOCK, signal_bit(SIGPIPE));
  sys_pipe(ends);
  sys_close(ends[0]);
  expect_error(EPIPE, sys_write(ends[1], "x", 1));
  expect_value(status_number("self", "SigPnd", 16), signal_bit(SIGPIPE), "pending for the thread");
  struct siginfo info = taken(SIGPIPE);
  expect_value(info.si_code, SI_USER, "si_code");
  expect_value(info.si_pid, sys_getpid(), "si_pid");
}

CASE(handler_sees_info, "a handler with SA_SIGINFO gets the same siginfo, and ucontext with the mask to restore") {
  set_mask(SIG_SETMASK, signal_bit(SIGHUP));
  sys_handle(SIGUSR1, note_signal, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(noted.count, 1, "deliveries");
  expect_value(noted.infos[0].si_pid, sys_getpid(), "si_pid");
  expect_value(noted.infos[0].si_code, SI_USER, "si_code");
  expect_value(current_mask(), signal_bit(SIGHUP), "the mask afterwards");
}

MAIN("signal.siginfo")
