#include "call.h"

/* clone() and clone3() in clone2's words. What has no counterpart there (high flag bits, a 0 between chosen pids) is passed
 * on as it comes; the cases that need it are not SHARED. */
static void prepare_clone3(struct call *call, const struct clone_struct *how, const int *pids, unsigned long tls) {
  struct clone_args *args = &call->clone_args;
  int count = 0;
  *args = (struct clone_args){.flags = how->flags & ~CSIGNAL,
                              .exit_signal = how->flags & CSIGNAL,
                              .parent_tid = how->parent_tid,
                              .child_tid = how->child_tid,
                              .tls = tls};
  if (how->flags & CLONE_PIDFD) args->pidfd = how->parent_tid;
  /* In clone3 a thread may not even name an exit signal, and a sibling always gets that of its creator. */
  if (how->flags & (CLONE_THREAD | CLONE_PARENT)) args->exit_signal = 0;
  /* The lowest address and a size here, the top there. */
  if (how->child_stack) args->stack = how->child_stack - 16, args->stack_size = 16;
  /* The innermost first, and a new namespace is part of the list. */
  if (how->flags & CLONE_NEWPID) call->set_tid[count++] = 1;
  for (uint32_t i = how->nr_pids; i > 0 && count < 36; i--) call->set_tid[count++] = pids[i - 1];
  /* Outer namespaces left to the kernel are left out. */
  while (count > 0 && call->set_tid[count - 1] == 0) count--;
  args->set_tid = count ? (uint64_t)call->set_tid : 0;
  args->set_tid_size = (uint64_t)count;
  call->number = __NR_clone3;
  call->rdi = (long)args;
  call->rsi = sizeof *args;
}

void prepare_call(struct call *call, const struct clone_struct *how, const int *pids, unsigned long tls, int through_clone3) {
  memset(call, 0, sizeof *call);
  if (!through_clone3) {
    /* rdx and r10 are no arguments of clone2; garbage shows that nobody reads them. */
    call->number = __NR_clone2;
    call->rdi = (long)how;
    call->rsi = (long)pids;
    call->rdx = (long)0xdeadbeefdeadbeefUL;
    call->r10 = (long)0xbadc0ffee0ddf00dUL;
    call->r8 = (long)tls;
  } else if (how->nr_pids == 0) {
    call->number = __NR_clone;
    call->rdi = (long)how->flags;
    call->rsi = (long)how->child_stack;
    call->rdx = how->parent_tid;
    call->r10 = how->child_tid;
    call->r8 = (long)tls;
  } else {
    prepare_clone3(call, how, pids, tls);
  }
}

long do_call(const struct call *call) {
  return syscall6(call->number, call->rdi, call->rsi, call->rdx, call->r10, call->r8, 0);
}

int exit_quietly(void *argument, unsigned long rsp) { return (void)argument, (void)rsp, 0; }

/* The child's function, argument and nothing else come to the child in registers, which it inherits. Its rsp is noted before
 * anything is pushed, and rounded down because C wants an aligned stack, which the kernel does not. */
__asm__(
    ".globl do_call_with_function\n"
    ".type do_call_with_function, @function\n"
    "do_call_with_function:\n"
    "  push %r12\n"
    "  push %r13\n"
    "  mov %rsi, %r12\n"    /* function */
    "  mov %rdx, %r13\n"    /* argument */
    "  mov %rdi, %r11\n"
    "  mov (%r11), %rax\n"
    "  mov 8(%r11), %rdi\n"
    "  mov 16(%r11), %rsi\n"
    "  mov 24(%r11), %rdx\n"
    "  mov 32(%r11), %r10\n"
    "  mov 40(%r11), %r8\n"
    "  syscall\n"
    "  test %rax, %rax\n"
    "  jz 1f\n"
    "  pop %r13\n"
    "  pop %r12\n"
    "  ret\n"
    "1: mov %rsp, %rsi\n"
    "  mov %r13, %rdi\n"
    "  xor %ebp, %ebp\n"
    "  and $-16, %rsp\n"
    "  call *%r12\n"
    "  mov %eax, %edi\n"
    "  mov $60, %eax\n"     /* exit: this thread only */
    "  syscall\n"
    "  ud2\n");
