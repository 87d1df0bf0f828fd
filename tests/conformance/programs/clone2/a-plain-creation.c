/* Section A: clone2 with nr_pids = 0 is clone() with its arguments in a structure, and needs no privilege. */
#include "call.h"

static void create_plain(const int *pids) {
  struct clone_struct how = plain(0);
  struct facts *child = &shared->facts[0];
  long pid = expect_created(start_and_report(&how, pids, child));
  expect_value(child->pid, pid, "the child's getpid()");
  expect_value(child->ppid, sys_getpid(), "the child's getppid()");
}

static void creates_a_child(long unused) {
  (void)unused;
  create_plain(0);
  AS_UNPRIVILEGED { create_plain(0); }
}

static void does_not_use_the_pids_pointer(long pointer) {
  AS_UNPRIVILEGED { create_plain((const int *)pointer); }
}

static void ignores_a_list_of_length_0(long unused) {
  (void)unused;
  static const int taken[] = {1};
  AS_UNPRIVILEGED { create_plain(taken); }
}

/* Case 4: every register but rax, rcx and r11. The call is written out here because C cannot see registers. */
enum { REGISTERS = 12 };
struct register_call {
  unsigned long number, rdi, rsi, rdx, r10, r8;
  unsigned long seen[REGISTERS]; /* rdi rsi rdx r10 r8 r9 rbx rbp r12 r13 r14 r15 */
};
long call_and_store_registers(struct register_call *call);
__asm__(
    "call_and_store_registers:\n"
    "  push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "  push %rdi\n"
    "  mov %rdi, %rcx\n"
    "  mov (%rcx), %rax\n mov 8(%rcx), %rdi\n mov 16(%rcx), %rsi\n mov 24(%rcx), %rdx\n mov 32(%rcx), %r10\n mov 40(%rcx), %r8\n"
    "  mov $0x1111111111111109, %r9\n  mov $0x111111111111110b, %rbx\n mov $0x111111111111110d, %rbp\n"
    "  mov $0x1111111111111112, %r12\n mov $0x1111111111111113, %r13\n mov $0x1111111111111114, %r14\n"
    "  mov $0x1111111111111115, %r15\n"
    "  syscall\n"
    "  pop %rcx\n"
    "  mov %rdi, 48(%rcx)\n mov %rsi, 56(%rcx)\n mov %rdx, 64(%rcx)\n mov %r10, 72(%rcx)\n mov %r8, 80(%rcx)\n mov %r9, 88(%rcx)\n"
    "  mov %rbx, 96(%rcx)\n mov %rbp, 104(%rcx)\n mov %r12, 112(%rcx)\n mov %r13, 120(%rcx)\n mov %r14, 128(%rcx)\n mov %r15, 136(%rcx)\n"
    "  pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
    "  ret\n");

static void check_registers(const struct register_call *call, const char *who) {
  static const char *const names[REGISTERS] = {"rdi", "rsi", "rdx", "r10", "r8", "r9", "rbx", "rbp", "r12", "r13", "r14", "r15"};
  const unsigned long wanted[REGISTERS] = {call->rdi, call->rsi, call->rdx, call->r10, call->r8, 0x1111111111111109,
                                           0x111111111111110b, 0x111111111111110d, 0x1111111111111112, 0x1111111111111113,
                                           0x1111111111111114, 0x1111111111111115};
  for (int i = 0; i < REGISTERS; i++)
    expect(call->seen[i] == wanted[i], "%s: %s is 0x%lx, was 0x%lx", who, names[i], call->seen[i], wanted[i]);
}

static void keeps_the_registers(long unused) {
  (void)unused;
  struct clone_struct how = plain(0);
  struct call call;
  prepare_call(&call, &how, 0, 0x5555, THROUGH);
  struct register_call registers = {.number = (unsigned long)call.number, .rdi = (unsigned long)call.rdi,
                                    .rsi = (unsigned long)call.rsi, .rdx = (unsigned long)call.rdx,
                                    .r10 = (unsigned long)call.r10, .r8 = (unsigned long)call.r8};
  long pid = call_and_store_registers(&registers);
  check_registers(&registers, pid == 0 ? "child" : "parent");
  if (pid == 0) sys_exit_group(0);
  reap_good(expect_created(pid));
}

static void copies_the_stack(long unused) {
  (void)unused;
  volatile int on_the_stack[64] = {0};
  unsigned long frame = (unsigned long)__builtin_frame_address(0);
  on_the_stack[7] = 7;
  struct clone_struct how = plain(0);
  long pid = start(&how, 0);
  if (pid == 0) {
    expect_value(on_the_stack[7], 7, "the child's copy of a local variable");
    expect(frame == (unsigned long)__builtin_frame_address(0), "the child is on another stack");
    for (int i = 0; i < 64; i++) on_the_stack[i] = -1;
    sys_exit_group(0);
  }
  reap_good(expect_created(pid));
  expect_value(on_the_stack[7], 7, "the parent's local variable after the child wrote to its own");
}

static int store_rsp(void *argument, unsigned long rsp) {
  *(volatile unsigned long *)argument = rsp;
  return 0;
}

/* `offset` is how far the child's stack pointer is below the top of a mapped area. */
static void starts_at_child_stack(long offset) {
  volatile unsigned long rsp = 0;
  struct clone_struct how = plain(CLONE_VM);
  how.child_stack = (uint64_t)new_stack() - (uint64_t)offset;
  reap_good(expect_created(start_function(&how, 0, store_rsp, (void *)&rsp)));
  expect(rsp == how.child_stack, "rsp was 0x%lx in the child, child_stack 0x%lx", rsp, how.child_stack);
}

static void child_faults_on_an_unmapped_stack(long unused) {
  (void)unused;
  struct clone_struct how = plain(0);
  how.child_stack = (uint64_t)guard(1) + PAGE_SIZE;
  int status = reap(expect_created(start_function(&how, 0, exit_quietly, 0)));
  expect_value(WTERMSIG(status), SIGSEGV, "the signal that killed the child");
}

static uint64_t block_signals(uint64_t mask) {
  SYS4(rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
  return mask;
}

static uint64_t pending_signals(void) {
  uint64_t pending = 0;
  SYS2(rt_sigpending, &pending, 8);
  return pending;
}

/* The low byte of flags: which signal reports the death, and what kind of child that makes. */
static void reports_with_the_low_byte(long low_byte) {
  block_signals(~0UL);
  struct clone_struct how = {.flags = (uint64_t)low_byte};
  long pid = start(&how, 0);
  if (pid == 0) sys_exit_group(0);
  expect_created(pid);
  wait_for_zombie(pid);
  expect_value(sys_wait4(pid, 0, 0), -ECHILD, "wait4 without __WALL or __WCLONE");
  uint64_t wanted = low_byte >= 1 && low_byte <= 64 ? signal_bit((int)low_byte) : 0;
  expect(pending_signals() == wanted, "pending signals are 0x%lx, wanted 0x%lx", pending_signals(), wanted);
  int status = -1;
  expect_value(sys_wait4(pid, &status, low_byte ? __WALL : __WCLONE), pid, low_byte ? "wait4(__WALL)" : "wait4(__WCLONE)");
  expect_value(status, 0, "the wait status");
}

static void gives_increasing_pids(long unused) {
  (void)unused;
  struct clone_struct how = plain(0);
  long before = free_pid();
  for (int i = 0; i < 5; i++) {
    long pid = expect_created(start_and_report(&how, 0, &shared->facts[0]));
    if (pid < before && !on_trapgate) case_skips("the sequence of pids wrapped");
    expect(pid > before, "pid %ld after %ld", pid, before);
    if (on_trapgate) expect_value(pid, before + 1, "the next pid");
    before = pid;
  }
}

static void refuses_high_flags(long bit) {
  struct clone_struct how = plain(1UL << bit);
  expect_refused(EINVAL, start(&how, 0));
}

static void refuses_reserved1(long value) {
  struct clone_struct how = plain(0);
  how.reserved1 = (uint32_t)value;
  expect_refused(EINVAL, start(&how, 0));
}

static void refuses_reserved2(long bit) {
  struct clone_struct how = plain(0);
  how.reserved2 = 1UL << bit;
  expect_refused(EINVAL, start(&how, 0));
}

static void ignores_detached(long unused) {
  (void)unused;
  struct clone_struct how = plain(CLONE_DETACHED);
  expect_created(start_and_report(&how, 0, &shared->facts[0]));
}

static void ignores_unused_tid_pointers(long unused) {
  (void)unused;
  struct clone_struct how = plain(0);
  how.parent_tid = 0xdeadbeef;
  how.child_tid = 0xfffffffd;
  expect_created(start_and_report(&how, 0, &shared->facts[0]));
}

static const struct test_case cases[] = {
    {1, SHARED, CALL " with nr_pids 0 creates a child, with and without privilege", creates_a_child, 0},
    {2, 0, CALL " with nr_pids 0 does not use the pids pointer", does_not_use_the_pids_pointer, (long)0xdead000000000000},
    {3, 0, CALL " with nr_pids 0 ignores a valid list holding a taken pid", ignores_a_list_of_length_0, 0},
    {4, SHARED, CALL " gives the child 0 and every other register as in the parent", keeps_the_registers, 0},
    {5, SHARED, CALL " with child_stack 0 continues on a copy of the parent's stack", copies_the_stack, 0},
    {6, SHARED, CALL " starts the child with rsp equal to child_stack", starts_at_child_stack, 0},
    {7, SHARED, CALL " accepts an unaligned child_stack and the child starts with exactly that rsp", starts_at_child_stack, 13},
    {8, SHARED, CALL " accepts an unmapped child_stack and the child dies of SIGSEGV when it pushes", child_faults_on_an_unmapped_stack, 0},
    {9, SHARED, CALL " with SIGUSR1 in the low byte sends SIGUSR1 and makes a clone child", reports_with_the_low_byte, SIGUSR1},
    {10, SHARED, CALL " with 0 in the low byte sends nothing and __WCLONE waits", reports_with_the_low_byte, 0},
    {11, SHARED, CALL " with 200 in the low byte succeeds and sends nothing", reports_with_the_low_byte, 200},
    {12, SHARED, CALL " gives increasing pids to successive children", gives_increasing_pids, 0},
    {13, 0, CALL " refuses flag bit 32 with EINVAL", refuses_high_flags, 32},
    {14, 0, CALL " refuses flag bit 63 with EINVAL", refuses_high_flags, 63},
    {15, 0, CALL " refuses reserved1 = 1 with EINVAL", refuses_reserved1, 1},
    {16, 0, CALL " refuses reserved1 = 0x80000000 with EINVAL", refuses_reserved1, 0x80000000},
    {17, 0, CALL " refuses reserved2 = 1 with EINVAL", refuses_reserved2, 0},
    {18, 0, CALL " refuses reserved2 = 1 << 63 with EINVAL", refuses_reserved2, 63},
    {19, SHARED, CALL " ignores CLONE_DETACHED", ignores_detached, 0},
    {20, SHARED, CALL " ignores parent_tid and child_tid without their flags", ignores_unused_tid_pointers, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C7", THROUGH_SUITE, SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
