/* What a program without a C library needs: its start, system calls, signal entry and a few lines of input. */
#include <stddef.h>

#define SYSCALL_CLOBBERS "rcx", "r11", "memory"

static inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : SYSCALL_CLOBBERS);
  return result;
}

static inline long syscall5(long n, long a, long b, long c, long d, long e) { return syscall6(n, a, b, c, d, e, 0); }
static inline long syscall4(long n, long a, long b, long c, long d) { return syscall6(n, a, b, c, d, 0, 0); }
static inline long syscall3(long n, long a, long b, long c) { return syscall6(n, a, b, c, 0, 0, 0); }
static inline long syscall2(long n, long a, long b) { return syscall6(n, a, b, 0, 0, 0, 0); }
static inline long syscall1(long n, long a) { return syscall6(n, a, 0, 0, 0, 0, 0); }

#define HERE __attribute__((visibility("hidden")))
HERE void signal_entry(void);
HERE void signal_return(void);

/* A case may leave AC set, under which compiled code would fault, and NT and ID, which sigreturn leaves alone. */
asm(".globl _start, signal_entry, signal_return\n"
    "_start: xor %ebp, %ebp; mov %rsp, %rdi; and $-16, %rsp; call begin; hlt\n"
    "signal_entry: pushfq; andl $~0x244500, (%rsp); popfq; jmp on_signal\n"
    "signal_return: mov $15, %eax; syscall\n");

static void die(const char *message) {
  size_t length = 0;
  while (message[length]) length++;
  syscall3(__NR_write, 2, (long)message, length);
  syscall1(__NR_exit, 3);
}

/* Fewer bytes than asked for at the end of the input only. */
static size_t read_some(void *to, size_t size) {
  size_t done = 0;
  while (done < size) {
    long n = syscall3(__NR_read, 0, (long)to + done, size - done);
    if (n <= 0) break;
    done += n;
  }
  return done;
}

static void read_all(void *to, size_t size) {
  if (read_some(to, size) != size) die("the batch ends early\n");
}

/* The compiler makes calls of these by itself. */
__attribute__((used)) void *memcpy(void *to, const void *from, size_t size) {
  void *result = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
  return result;
}

__attribute__((used)) void *memset(void *to, int value, size_t size) {
  void *result = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
  return result;
}
