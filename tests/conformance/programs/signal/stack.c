/* The alternate signal stack (sigaltstack(2)). */
#include "call.h"
#include "threads.h"

enum { SIZE = 32768 };
static char block[SIZE] __attribute__((aligned(64))), second[SIZE] __attribute__((aligned(64)));

static struct stack_description use(char *memory, unsigned flags) {
  struct stack_description stack = {(uint64_t)memory, (int)flags, 0, SIZE}, old = {0};
  expect_value(SYS2(sigaltstack, &stack, &old), 0, "sigaltstack");
  return old;
}
static struct stack_description current(void) {
  struct stack_description stack = {0};
  expect_value(SYS2(sigaltstack, 0, &stack), 0, "sigaltstack");
  return stack;
}

static volatile uint64_t where;
static volatile struct stack_description inside, in_context;
static void note_stack(int signal, struct siginfo *info, struct ucontext *context) {
  char here;
  where = (uint64_t)&here;
  struct stack_description now = current();
  memcpy((void *)&inside, &now, sizeof now);
  memcpy((void *)&in_context, &context->stack, sizeof context->stack);
  note_signal(signal, info, context);
}
static int lies_in(uint64_t address, const char *memory) { return address >= (uint64_t)memory && address < (uint64_t)memory + SIZE; }

CASE(none_at_first, "a process has no alternate stack at first: SS_DISABLE") {
  expect_value(current().ss_flags, SS_DISABLE, "flags");
  expect_value(current().ss_sp, 0, "address");
  expect_value(current().ss_size, 0, "size");
}

CASE(onstack, "a handler with SA_ONSTACK runs on the alternate stack, and sees SS_ONSTACK") {
  use(block, 0);
  handle(SIGUSR1, note_stack, SA_ONSTACK, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect(lies_in(where, block), "the handler's stack is at 0x%lx", where);
  expect_value(inside.ss_flags, SS_ONSTACK, "flags inside");
  expect_value(in_context.ss_sp, block, "uc_stack.ss_sp");
  expect_value(in_context.ss_size, SIZE, "uc_stack.ss_size");
  expect_value(current().ss_flags, 0, "flags afterwards");
}

CASE(not_onstack, "a handler without SA_ONSTACK runs on the ordinary stack") {
  use(block, 0);
  handle(SIGUSR1, note_stack, 0, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect(!lies_in(where, block), "the handler's stack is at 0x%lx", where);
}

CASE(disabled, "SA_ONSTACK without an alternate stack uses the ordinary one") {
  handle(SIGUSR1, note_stack, SA_ONSTACK, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(noted.count, 1, "deliveries");
  expect_value(inside.ss_flags, SS_DISABLE, "flags inside");
}

static volatile uint64_t outer, inner;
static void outer_handler(int signal, struct siginfo *info, struct ucontext *context) {
  (void)info, (void)context;
  char here;
  if (signal == SIGUSR2) {
    inner = (uint64_t)&here;
    return;
  }
  outer = (uint64_t)&here;
  sys_kill(sys_getpid(), SIGUSR2);
}

CASE(nested, "a nested handler continues on the alternate stack below the first one") {
  use(block, 0);
  handle(SIGUSR1, outer_handler, SA_ONSTACK, 0);
  handle(SIGUSR2, outer_handler, SA_ONSTACK, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect(lies_in(outer, block) && lies_in(inner, block), "stacks at 0x%lx and 0x%lx", outer, inner);
  expect(inner < outer, "the inner one is not below the outer one");
}

static volatile long change_result;
static void change_inside(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info, (void)context;
  struct stack_description stack = {(uint64_t)second, 0, 0, SIZE};
  change_result = SYS2(sigaltstack, &stack, 0);
}

CASE(change_in_use, "the alternate stack cannot be changed while it is in use: EPERM") {
  use(block, 0);
  handle(SIGUSR1, change_inside, SA_ONSTACK, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(change_result, -EPERM, "sigaltstack inside");
}

CASE(autodisarm, "SS_AUTODISARM disables the stack while its handler runs and restores it afterwards") {
  use(block, SS_AUTODISARM);
  expect_value((unsigned)current().ss_flags, SS_AUTODISARM, "flags before");
  handle(SIGUSR1, note_stack, SA_ONSTACK, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect(lies_in(where, block), "the handler's stack is at 0x%lx", where);
  expect_value(inside.ss_flags, SS_DISABLE, "flags inside");
  expect_value((unsigned)current().ss_flags, SS_AUTODISARM, "flags afterwards");
  expect_value(current().ss_sp, block, "address afterwards");
}

CASE(autodisarm_change, "with SS_AUTODISARM the handler may install another stack, and the return puts the first one back") {
  use(block, SS_AUTODISARM);
  handle(SIGUSR1, change_inside, SA_ONSTACK, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(change_result, 0, "sigaltstack inside");
  expect_value(current().ss_sp, block, "address afterwards");
}

static void change_context(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info;
  context->stack.ss_sp = (uint64_t)second;
}

CASE(from_context, "sigreturn installs the uc_stack that the handler has left") {
  use(block, 0);
  handle(SIGUSR1, change_context, 0, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(current().ss_sp, second, "address afterwards");
}

CASE(errors, "sigaltstack refuses unknown flags with EINVAL, small stacks with ENOMEM, bad pointers with EFAULT") {
  struct stack_description stack = {(uint64_t)block, 4, 0, SIZE};
  expect_error(EINVAL, SYS2(sigaltstack, &stack, 0));
  stack.ss_flags = SS_DISABLE | SS_ONSTACK;
  expect_error(EINVAL, SYS2(sigaltstack, &stack, 0));
  stack.ss_flags = 0, stack.ss_size = MINSIGSTKSZ - 1;
  expect_error(ENOMEM, SYS2(sigaltstack, &stack, 0));
  expect_error(EFAULT, SYS2(sigaltstack, 8, 0));
  stack.ss_size = SIZE;
  expect_error(EFAULT, SYS2(sigaltstack, &stack, 8));
  stack.ss_flags = SS_ONSTACK; /* accepted for old programs */
  expect_value(SYS2(sigaltstack, &stack, 0), 0, "SS_ONSTACK as input");
  expect_value(current().ss_flags, 0, "flags");
  stack.ss_flags = SS_DISABLE;
  expect_value(SYS2(sigaltstack, &stack, 0), 0, "SS_DISABLE");
  expect_value(current().ss_flags, SS_DISABLE, "flags when disabled");
}

static int look(void *unused) {
  (void)unused;
  shared->words[0] = current().ss_flags;
  return 0;
}
static int look_with_stack(void *unused, unsigned long rsp) { return (void)rsp, look(unused); }

CASE(fork_keeps, "fork keeps the alternate stack, a thread begins without one") {
  use(block, 0);
  IN_CHILD expect_value(current().ss_sp, block, "in the child");
  join_thread(start_thread(look, 0));
  expect_value(shared->words[0], SS_DISABLE, "flags in the thread");
}

CASE(vm_without_vfork, "a child that shares memory keeps the alternate stack with CLONE_VFORK and loses it without") {
  use(block, 0);
  struct call call = {.number = __NR_clone, .rdi = CLONE_VFORK | CLONE_VM | SIGCHLD, .rsi = (long)new_stack()};
  reap_good(do_call_with_function(&call, look_with_stack, 0));
  expect_value(shared->words[0], 0, "flags with CLONE_VFORK");
  call.rdi = CLONE_VM | SIGCHLD;
  reap_good(do_call_with_function(&call, look_with_stack, 0));
  expect_value(shared->words[0], SS_DISABLE, "flags without");
}

CASE(overflow, "a stack overflow can be handled on the alternate stack") {
  use(block, 0);
  handle(SIGSEGV, note_stack, SA_ONSTACK | SA_RESETHAND, 0);
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    __asm__ volatile("mov %0, %%rsp\n push %%rax" ::"r"(guard(1) - PAGE_SIZE) : "memory");
    sys_exit_group(0);
  }
  expect_value(WTERMSIG(reap(pid)), SIGSEGV, "after the handler has returned to the same fault");
}

CASE(no_room, "a frame that fits on no stack kills the process with SIGSEGV") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    handle(SIGUSR1, note_stack, 0, 0);
    __asm__ volatile("mov %0, %%rsp\n mov %1, %%rdi\n mov %2, %%esi\n mov %3, %%eax\n syscall\n ud2" ::"r"(16L), "r"(sys_getpid()),
                     "i"(SIGUSR1), "i"(__NR_kill)
                     : "rdi", "rsi", "rax", "rcx", "r11", "memory");
  }
  expect_value(WTERMSIG(reap(pid)), SIGSEGV, "the signal");
}

CASE(alignment, "a handler begins with a stack of 16 times n plus 8, as after a call") {
  static volatile uint64_t rsp;
  extern void note_rsp(int, struct siginfo *, struct ucontext *);
  __asm__ volatile(".pushsection .text\n .globl note_rsp\n note_rsp: mov %%rsp, %c0\n ret\n .popsection" ::"i"(&rsp));
  for (int i = 0; i < 4; i++) {
    handle(SIGUSR1, note_rsp, i & 1 ? SA_ONSTACK : 0, 0);
    sys_kill(sys_getpid(), SIGUSR1);
    expect_value(rsp % 16, 8, "rsp modulo 16");
    use(block + i * 3, 0);
  }
}

MAIN("signal.stack")
