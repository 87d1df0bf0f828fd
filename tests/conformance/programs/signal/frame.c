/* The signal frame: what a handler finds in its ucontext, and what sigreturn restores (sigreturn(2)). */
#include "threads.h"

static volatile struct ucontext seen;
static volatile struct ucontext_rest seen_rest;
static void clobber(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info;
  memcpy((void *)&seen, context, sizeof seen);
  memcpy((void *)&seen_rest, rest_of(context), sizeof seen_rest);
  noted.count++;
  __asm__ volatile(
      "mov $-1, %%rbx\n mov $-1, %%rcx\n mov $-1, %%rdx\n mov $-1, %%rsi\n mov $-1, %%rdi\n mov $-1, %%r8\n mov $-1, %%r9\n"
      "mov $-1, %%r10\n mov $-1, %%r11\n mov $-1, %%r12\n mov $-1, %%r13\n mov $-1, %%r14\n mov $-1, %%r15\n"
      "pcmpeqb %%xmm0, %%xmm0\n pcmpeqb %%xmm7, %%xmm7\n pcmpeqb %%xmm15, %%xmm15\n fninit\n fldpi\n fldpi" ::
          : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm7", "xmm15", "memory");
}

/* Named by the assembler code below; all addresses of these programs have 32 bits. */
uint64_t frame_in[16], frame_out[16];

CASE(all_registers, "after a handler that overwrites them all, every general register is as before") {
  sys_handle(SIGTRAP, clobber, 0);
  uint64_t *in = frame_in, *out = frame_out;
  for (int i = 0; i < 16; i++) in[i] = 0x1111111111111111UL * (uint64_t)i + 7;
  __asm__ volatile(
      "push %%rbp\n mov %%rsp, frame_out+56\n"
      "mov frame_in+0, %%rax\n mov frame_in+8, %%rbx\n mov frame_in+16, %%rcx\n mov frame_in+24, %%rdx\n mov frame_in+32, %%rsi\n mov frame_in+40, %%rdi\n"
      "mov frame_in+48, %%rbp\n mov frame_in+64, %%r8\n mov frame_in+72, %%r9\n mov frame_in+80, %%r10\n mov frame_in+88, %%r11\n"
      "mov frame_in+96, %%r12\n mov frame_in+104, %%r13\n mov frame_in+112, %%r14\n mov frame_in+120, %%r15\n"
      "int3\n"
      "mov %%rax, frame_out+0\n mov %%rbx, frame_out+8\n mov %%rcx, frame_out+16\n mov %%rdx, frame_out+24\n mov %%rsi, frame_out+32\n mov %%rdi, frame_out+40\n"
      "mov %%rbp, frame_out+48\n mov %%r8, frame_out+64\n mov %%r9, frame_out+72\n mov %%r10, frame_out+80\n mov %%r11, frame_out+88\n"
      "mov %%r12, frame_out+96\n mov %%r13, frame_out+104\n mov %%r14, frame_out+112\n mov %%r15, frame_out+120\n"
      "pop %%rbp\n"
      ::
      : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
  expect_value(noted.count, 1, "handler calls");
  for (int i = 0; i < 16; i++)
    if (i != 7) expect(out[i] == in[i], "register %d is 0x%lx instead of 0x%lx", i, out[i], in[i]);
  expect_value(seen.rax, in[0], "rax in the context");
  expect_value(seen.rbp, in[6], "rbp in the context");
  expect_value(seen.r15, in[15], "r15 in the context");
  expect_value(seen.rsp, out[7], "rsp in the context");
}

CASE(flags_restored, "arithmetic flags survive a handler, and the handler begins with the direction flag clear") {
  uint64_t before, after;
  sys_handle(SIGTRAP, clobber, 0);
  __asm__ volatile("std\n stc\n pushf\n int3\n pushf\n cld\n pop %1\n pop %0" : "=r"(before), "=r"(after)::"memory", "cc");
  expect_value(noted.count, 1, "handler calls");
  expect((before & 0xcd5) == (after & 0xcd5), "flags 0x%lx became 0x%lx", before, after);
  expect((seen.rflags & 0x401) == 0x401, "flags in the context: 0x%lx", seen.rflags);
}

CASE(direction_inside, "a handler begins with DF and TF clear") {
  static volatile uint64_t inside;
  extern void note_flags(int, struct siginfo *, struct ucontext *);
  __asm__ volatile(".pushsection .text\n .globl note_flags\n note_flags: pushf\n pop %c0\n ret\n .popsection" ::"i"(&inside));
  handle(SIGTRAP, note_flags, 0, 0);
  __asm__ volatile("std\n int3\n cld" ::: "memory", "cc");
  expect((inside & 0x500) == 0, "flags inside: 0x%lx", inside);
}

CASE(xmm_restored, "SSE registers and MXCSR survive a handler") {
  static uint8_t in[48] __attribute__((aligned(16))), out[48] __attribute__((aligned(16)));
  uint32_t mxcsr = 0x1f80 | 0x6000, seen_mxcsr;
  for (int i = 0; i < 48; i++) in[i] = (uint8_t)(i * 5 + 1);
  sys_handle(SIGTRAP, clobber, 0);
  __asm__ volatile(
      "ldmxcsr %[mxcsr]\n movdqa (%[in]), %%xmm0\n movdqa 16(%[in]), %%xmm7\n movdqa 32(%[in]), %%xmm15\n int3\n"
      "movdqa %%xmm0, (%[out])\n movdqa %%xmm7, 16(%[out])\n movdqa %%xmm15, 32(%[out])\n stmxcsr %[seen]\n"
      : [seen] "=m"(seen_mxcsr)
      : [in] "r"(in), [out] "r"(out), [mxcsr] "m"(mxcsr)
      : "xmm0", "xmm7", "xmm15", "memory");
  expect(memcmp(in, out, sizeof in) == 0, "an SSE register has changed");
  expect_value(seen_mxcsr, mxcsr, "MXCSR");
}

CASE(x87_restored, "the x87 stack and control word survive a handler") {
  double value = 1.5, result = 0;
  uint16_t control = 0x0c7f, seen_control;
  sys_handle(SIGTRAP, clobber, 0);
  __asm__ volatile("fninit\n fldcw %[control]\n fldl %[value]\n int3\n fstpl %[result]\n fnstcw %[seen]\n fninit"
                   : [result] "=m"(result), [seen] "=m"(seen_control)
                   : [value] "m"(value), [control] "m"(control)
                   : "memory");
  expect(memcmp(&value, &result, 8) == 0, "st(0) has changed");
  expect_value(seen_control, control, "the control word");
}

static void note_fpstate(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info;
  uint8_t *image = rest_of(context)->fpstate;
  memcpy((void *)&shared->words[0], image + 24, 4);
  memcpy((void *)&shared->words[1], image + 160, 4);
}

CASE(fpstate_pointer, "the context points at an FXSAVE image that holds the interrupted MXCSR and xmm0") {
  static uint8_t in[16] __attribute__((aligned(16))) = {1, 2, 3, 4, 5, 6, 7, 8};
  uint32_t mxcsr = 0x3f80;
  sys_handle(SIGTRAP, note_fpstate, 0);
  __asm__ volatile("ldmxcsr %0\n movdqa %1, %%xmm0\n int3" ::"m"(mxcsr), "m"(in) : "xmm0", "memory");
  expect_value(shared->words[0], mxcsr, "MXCSR in the image");
  expect_value(shared->words[1], 0x04030201, "xmm0 in the image");
}

static void change_rip(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info;
  context->rip = context->rbx;
  context->rax = 4711;
  context->rflags |= 1;
}

CASE(changes_take_effect, "what a handler changes in the context is there after it: rip, rax and flags") {
  uint64_t rax, carry;
  sys_handle(SIGTRAP, change_rip, 0);
  __asm__ volatile("clc\n xor %%eax, %%eax\n clc\n lea 1f(%%rip), %%rbx\n int3\n ud2\n 1: sbb %%rcx, %%rcx\n"
                   : "=a"(rax), "=c"(carry)::"rbx", "memory", "cc");
  expect_value(rax, 4711, "rax");
  expect_value(carry, -1, "the carry flag");
}

static void change_mask(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info;
  noted.infos[0].si_pid = (int)rest_of(context)->sigmask;
  rest_of(context)->sigmask = ~0UL;
}

CASE(mask_from_context, "sigreturn installs the mask in the context, without SIGKILL and SIGSTOP") {
  set_mask(SIG_SETMASK, signal_bit(SIGHUP));
  sys_handle(SIGUSR1, change_mask, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(noted.infos[0].si_pid, signal_bit(SIGHUP), "uc_sigmask");
  expect(current_mask() == ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP)), "the mask is 0x%lx", current_mask());
}

static void change_xmm(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info;
  memset(rest_of(context)->fpstate + 160, 0x77, 16);
}

CASE(xmm_from_context, "a handler may change an SSE register through the context's FXSAVE image") {
  uint64_t value;
  sys_handle(SIGTRAP, change_xmm, 0);
  __asm__ volatile("pxor %%xmm0, %%xmm0\n int3\n movq %%xmm0, %0" : "=r"(value)::"xmm0", "memory");
  expect(value == 0x7777777777777777, "xmm0 is 0x%lx", value);
}

CASE(rcx_r11, "rcx and r11 survive a signal that comes outside of a system call") {
  uint64_t rcx, r11;
  sys_handle(SIGILL, change_rip, 0);
  __asm__ volatile("lea 1f(%%rip), %%rbx\n mov $0x1234, %%ecx\n mov $0x5678, %%r11d\n ud2\n 1: mov %%r11, %1"
                   : "=&c"(rcx), "=&r"(r11)::"rax", "rbx", "r11", "memory", "cc");
  expect_value(rcx, 0x1234, "rcx");
  expect_value(r11, 0x5678, "r11");
}

CASE(bad_frame, "sigreturn with a stack pointer that leads nowhere kills with SIGSEGV") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    __asm__ volatile("mov $16, %%rsp\n mov %0, %%eax\n syscall\n ud2" ::"i"(__NR_rt_sigreturn) : "memory");
    __builtin_unreachable();
  }
  expect_value(WTERMSIG(reap(pid)), SIGSEGV, "the signal");
}

static void make_rip_bad(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info;
  context->rip = 0x8000000000000000;
}

CASE(bad_rip, "sigreturn to a non-canonical rip kills with SIGSEGV") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    sys_handle(SIGUSR1, make_rip_bad, 0);
    sys_kill(sys_getpid(), SIGUSR1);
    sys_exit_group(0);
  }
  expect_value(WTERMSIG(reap(pid)), SIGSEGV, "the signal");
}

static void raise_privilege(int signal, struct siginfo *info, struct ucontext *context) {
  (void)signal, (void)info;
  context->rflags |= 0x3000 | 0x200 | 0x4000;
}

CASE(privileged_flags, "sigreturn restores no privileged flags: IOPL stays 0, interrupts stay on") {
  uint64_t flags;
  sys_handle(SIGTRAP, raise_privilege, 0);
  __asm__ volatile("int3\n pushf\n pop %0" : "=r"(flags)::"memory");
  expect((flags & 0x3200) == 0x200, "flags are 0x%lx", flags);
}

CASE(red_zone, "a handler leaves the 128 bytes below the stack pointer alone") {
  uint64_t sum;
  sys_handle(SIGTRAP, note_signal, 0);
  __asm__ volatile("movq $11, -8(%%rsp)\n movq $22, -64(%%rsp)\n movq $33, -128(%%rsp)\n int3\n"
                   "mov -8(%%rsp), %0\n add -64(%%rsp), %0\n add -128(%%rsp), %0"
                   : "=&r"(sum)::"memory", "cc");
  expect_value(noted.count, 1, "handler calls");
  expect_value(sum, 66, "the sum of the words in the red zone");
}

CASE(syscall_result, "the result of a call that had finished survives the handler which runs behind it") {
  sys_handle(SIGUSR1, clobber, 0);
  expect_value(sys_kill(sys_getpid(), SIGUSR1), 0, "kill of oneself");
  expect_value(noted.count, 1, "handler calls: before kill returns");
}

CASE(fs_base_kept, "a handler runs with the same FS base and leaves it") {
  static char block[64];
  unsigned long base = 0;
  expect_ok(SYS2(arch_prctl, ARCH_SET_FS, block));
  sys_handle(SIGUSR1, clobber, 0);
  sys_kill(sys_getpid(), SIGUSR1);
  expect_ok(SYS2(arch_prctl, ARCH_GET_FS, &base));
  expect_value(base, block, "FS base");
}

MAIN("signal.frame")
