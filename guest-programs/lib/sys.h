/* System calls without a C library. A system call is one instruction: the number goes into rax, the arguments into rdi,
 * rsi, rdx, r10, r8 and r9, and the result comes back in rax. A result from -4095 to -1 is an errno with a minus sign:
 * there is no `errno` variable here, the functions return what the kernel returned. */
#ifndef GUEST_SYS_H
#define GUEST_SYS_H

#include "linux.h"

/* The kernel keeps every register but rax (the result), rcx and r11 (it stores rip and rflags there on the way in). */
static inline long syscall6(long nr, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#define SYS_ARGUMENT(value) ((long)(value))
#define SYS0(name) syscall6(__NR_##name, 0, 0, 0, 0, 0, 0)
#define SYS1(name, a) syscall6(__NR_##name, SYS_ARGUMENT(a), 0, 0, 0, 0, 0)
#define SYS2(name, a, b) syscall6(__NR_##name, SYS_ARGUMENT(a), SYS_ARGUMENT(b), 0, 0, 0, 0)
#define SYS3(name, a, b, c) syscall6(__NR_##name, SYS_ARGUMENT(a), SYS_ARGUMENT(b), SYS_ARGUMENT(c), 0, 0, 0)
#define SYS4(name, a, b, c, d) \
  syscall6(__NR_##name, SYS_ARGUMENT(a), SYS_ARGUMENT(b), SYS_ARGUMENT(c), SYS_ARGUMENT(d), 0, 0)
#define SYS5(name, a, b, c, d, e) \
  syscall6(__NR_##name, SYS_ARGUMENT(a), SYS_ARGUMENT(b), SYS_ARGUMENT(c), SYS_ARGUMENT(d), SYS_ARGUMENT(e), 0)
#define SYS6(name, a, b, c, d, e, f)                                                                                 \
  syscall6(__NR_##name, SYS_ARGUMENT(a), SYS_ARGUMENT(b), SYS_ARGUMENT(c), SYS_ARGUMENT(d), SYS_ARGUMENT(e), \
           SYS_ARGUMENT(f))

static inline __attribute__((noreturn)) void sys_exit_group(int status) {
  for (;;) SYS1(exit_group, status);
}
/* Ends the calling thread only. */
static inline __attribute__((noreturn)) void sys_exit(int status) {
  for (;;) SYS1(exit, status);
}
static inline long sys_read(int fd, void *buffer, size_t size) { return SYS3(read, fd, buffer, size); }
static inline long sys_write(int fd, const void *buffer, size_t size) { return SYS3(write, fd, buffer, size); }
static inline long sys_open(const char *path, int flags, int mode) { return SYS3(open, path, flags, mode); }
static inline long sys_close(int fd) { return SYS1(close, fd); }
static inline long sys_pipe(int fds[2]) { return SYS2(pipe2, fds, 0); }
static inline long sys_getpid(void) { return SYS0(getpid); }
static inline long sys_gettid(void) { return SYS0(gettid); }
static inline long sys_getppid(void) { return SYS0(getppid); }
static inline long sys_fork(void) { return SYS0(fork); }
static inline long sys_wait4(long pid, int *status, long options) { return SYS4(wait4, pid, status, options, 0); }
static inline long sys_kill(long pid, int signal) { return SYS2(kill, pid, signal); }
static inline long sys_clone2(const void *clone_struct, const void *pids) { return SYS2(clone2, clone_struct, pids); }
static inline long sys_mmap(void *address, size_t size, int protection, int flags, int fd, long offset) {
  return SYS6(mmap, address, size, protection, flags, fd, offset);
}
static inline long sys_munmap(void *address, size_t size) { return SYS2(munmap, address, size); }
static inline long sys_futex(int *word, int operation, int value, const struct timespec *timeout) {
  return SYS4(futex, word, operation, value, timeout);
}
static inline void sleep_us(long us) {
  struct timespec time = {us / 1000000, us % 1000000 * 1000};
  SYS2(nanosleep, &time, 0);
}

/* True for a result that is an errno. mmap returns addresses, so "negative" alone would not do for the kernel's half. */
static inline int is_error(long result) { return result < 0 && result >= -4095; }

/* Installs a handler with the siginfo calling convention. The kernel insists on a restorer on x86-64: the code that
 * rt_sigreturn()s after the handler; start.c has it. */
void sys_return_from_signal(void);
static inline long sys_handle(int signal, void (*handler)(int, struct siginfo *, struct ucontext *), uint64_t flags) {
  struct kernel_sigaction action = {(uint64_t)handler, flags | SA_SIGINFO | SA_RESTORER,
                                    (uint64_t)sys_return_from_signal, 0};
  return SYS4(rt_sigaction, signal, &action, 0, 8);
}
static inline long sys_set_action(int signal, uint64_t default_or_ignore) {
  struct kernel_sigaction action = {default_or_ignore, SA_RESTORER, (uint64_t)sys_return_from_signal, 0};
  return SYS4(rt_sigaction, signal, &action, 0, 8);
}
static inline uint64_t signal_bit(int signal) { return 1UL << (signal - 1); }

#endif
