/* Faults: what the CPU refuses to do, and how a program hears about it.
 *
 * The CPU stops at the instruction, the kernel turns the trap into a signal: the number says what kind, si_code says why,
 * si_addr says where (a data address for SIGSEGV and SIGBUS, the instruction itself for SIGFPE and SIGILL). When the handler
 * returns, the instruction runs *again*. So each handler here moves rip in the saved registers past the instruction. */
#include "sys.h"
#include "text.h"

struct fault {
  int signal, code;
  unsigned long address, rip;
};

static volatile struct fault seen;
static volatile unsigned long continue_at;

static void on_fault(int signal, struct siginfo *info, struct ucontext *context) {
  seen.signal = signal;
  seen.code = info->si_code;
  seen.address = info->si_addr;
  seen.rip = context->rip;
  context->rip = continue_at;
}

/* Runs one instruction that faults, and notes where it is (1:) and where to go on (2:). */
#define FAULT(instruction, ...)                                                               \
  ({                                                                                          \
    unsigned long at;                                                                         \
    __asm__ volatile("lea 2f(%%rip), %%rax\n mov %%rax, %1\n lea 1f(%%rip), %0\n1: " instruction "\n2:" \
                     : "=&r"(at), "=m"(continue_at)                                           \
                     : __VA_ARGS__                                                            \
                     : "rax", "rdx", "memory", "cc");                                         \
    at;                                                                                       \
  })

static int failures;

static void report(const char *what, int signal, const char *signal_name, int code, const char *code_name,
                   unsigned long address, unsigned long rip) {
  int good = seen.signal == signal && seen.code == code && seen.address == address && seen.rip == rip;
  print("%-34s %s si_code=%d (%s) si_addr=0x%lx%s\n", what, signal_name, seen.code, code_name, seen.address,
        good ? "" : " <- NOT as expected");
  failures += !good;
}

/* rip is compared inside; the printed address of an instruction would only be noise for the reader, so the code faults are
 * printed relative to the instruction. */
static void report_code(const char *what, int signal, const char *signal_name, int code, const char *code_name,
                        unsigned long rip) {
  int good = seen.signal == signal && seen.code == code && seen.address == rip && seen.rip == rip;
  print("%-34s %s si_code=%d (%s) si_addr=%s\n", what, signal_name, seen.code, code_name,
        good ? "the instruction itself" : "<- NOT as expected");
  failures += !good;
}

int main(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sys_handle(signals[i], on_fault, 0);
  unsigned long at;

  at = FAULT("movb $1, (%2)", "r"(0x10UL));
  report("store to an unmapped page", SIGSEGV, "SIGSEGV", SEGV_MAPERR, "SEGV_MAPERR", 0x10, at);

  char *page = (char *)0x10000000;
  sys_mmap(page, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  at = FAULT("movb $1, (%2)", "r"(page + 5));
  report("store to a read-only page", SIGSEGV, "SIGSEGV", SEGV_ACCERR, "SEGV_ACCERR", (unsigned long)page + 5, at);

  at = FAULT("jmp *%2", "r"(page));
  report("jump into a page without PROT_EXEC", SIGSEGV, "SIGSEGV", SEGV_ACCERR, "SEGV_ACCERR", (unsigned long)page,
         (unsigned long)page);

  /* Not an address at all: the upper 17 bits of a 64-bit pointer must be equal. The CPU raises #GP, which carries no
   * address, and Linux says SI_KERNEL with address 0. */
  at = FAULT("movb $1, (%2)", "r"(0x1234567800000000UL));
  report("store to a non-canonical address", SIGSEGV, "SIGSEGV", 0x80, "SI_KERNEL", 0, at);

  /* A mapping may be longer than its file. Pages behind the end exist in the map but have no bytes to show. */
  long fd = SYS2(memfd_create, "short", 0);
  char *file = (char *)0x20000000;
  SYS2(ftruncate, fd, 100);
  sys_mmap(file, 2 * PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, (int)fd, 0);
  at = FAULT("movb (%2), %%al", "r"(file + PAGE_SIZE));
  report("load behind the end of a file", SIGBUS, "SIGBUS", BUS_ADRERR, "BUS_ADRERR", (unsigned long)file + PAGE_SIZE, at);

  at = FAULT("xor %%edx, %%edx; mov $1, %%eax; .globl divide\ndivide: div %2", "r"(0));
  extern char divide[];
  report_code("divide by zero", SIGFPE, "SIGFPE", FPE_INTDIV, "FPE_INTDIV", (unsigned long)divide);

  at = FAULT("ud2", "r"(0));
  report_code("an instruction that is none (ud2)", SIGILL, "SIGILL", ILL_ILLOPN, "ILL_ILLOPN", at);

  /* A breakpoint is a trap, not a fault: rip is already behind the one-byte instruction. */
  at = FAULT("int3", "r"(0));
  int good = seen.signal == SIGTRAP && seen.code == 0x80 && seen.rip == at + 1;
  print("%-34s SIGTRAP si_code=%d (SI_KERNEL) rip is %s\n", "a breakpoint (int3)", seen.code,
        good ? "one byte further" : "<- NOT as expected");
  failures += !good;
  return failures != 0;
}
