/*
 * Runs instruction sequences on the host's processor: reads a batch of cases from standard input, maps the guest pages
 * where the batch says, runs every case from its registers to its exception, and writes what came of it to standard
 * output. The layout of both is in ../protocol.ts. With the names of two pipes it does so for batch after batch, each in
 * a process of its own, and puts wait status and size in front of each output.
 *
 * There is no C library below, so no thread-local storage: FS and GS belong to the guest. Everything happens in one signal
 * handler on its own stack. The exception that ends a case saves its registers in the signal frame; the handler writes
 * them down, restores the guest's pages, puts the next case's registers into the frame and returns into that case.
 * Seccomp's strict mode leaves a sequence that goes astray only read, write, exit and sigreturn.
 */
#include <asm/prctl.h>
#include <asm/sigcontext.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/signal.h>
#include <linux/time.h>
#include <stddef.h>
#include <stdint.h>

#include "freestanding.h"

#define BATCH_MAGIC 0x31464754u
#define PAGE 4096
#define MAX_PAGES 2048
#define ST_TO_XMM_END 416
#define YMM_OFFSET 576
#define XSTATE_BV_OFFSET 512
/* Exit status in front of a batch that never came. */
#define NO_MORE_BATCHES 9
/* In place of a vector: the case used up its time. */
#define TIMED_OUT 0x100

enum { SIGILL_ = 4, SIGTRAP_ = 5, SIGBUS_ = 7, SIGFPE_ = 8, SIGSEGV_ = 11, SIGVTALRM_ = 26 };

struct header {
  uint32_t magic, page_count, case_count, tick_us;
  uint64_t fs_base, gs_base;
};

struct page {
  uint64_t address;
  uint32_t protection, pad;
};

/* A register file: ../protocol.ts, STATE. */
struct state {
  uint64_t gpr[16], rip, rflags;
  uint8_t fxsave[ST_TO_XMM_END];
  uint8_t ymm_high[256];
};

struct result {
  uint32_t number, vector, error, changes;
  uint64_t address;
  struct state state;
};

struct change {
  uint32_t word;
  uint32_t value[2];
};

struct frame_context {
  unsigned long flags;
  void *link;
  stack_t stack;
  struct sigcontext_64 regs;
};

static struct header header;
static struct page *pages;
static uint8_t *pristine;
static struct state *cases;
static int64_t current = -1, ticked = -1;
static uint64_t checksum_before;
static uint8_t signal_stack[65536] __attribute__((aligned(64)));
static uint8_t output[1 << 20];
static size_t output_used;

static void flush(void) {
  for (size_t done = 0; done < output_used;) {
    long n = syscall3(__NR_write, 1, (long)(output + done), output_used - done);
    if (n <= 0) syscall1(__NR_exit, 4);
    done += n;
  }
  output_used = 0;
}

static void emit(const void *bytes, size_t size) {
  if (output_used + size > sizeof output) flush();
  __builtin_memcpy(output + output_used, bytes, size);
  output_used += size;
}

/* Of this program's own code and of what the batch gave it, to notice a case that wrote where it should not. */
static uint64_t checksum(void) {
  extern HERE const uint8_t __executable_start[], etext[];
  uint64_t sum = 14695981039346656037u;
  for (uintptr_t p = (uintptr_t)__executable_start; p < (uintptr_t)etext; p++) sum = (sum ^ *(uint8_t *)p) * 1099511628211u;
  const uint64_t *words = (const uint64_t *)pages;
  size_t count = (header.page_count * (sizeof(struct page) + PAGE) + header.case_count * sizeof(struct state)) / 8;
  for (size_t i = 0; i < count; i++) sum = (sum ^ words[i]) * 1099511628211u;
  return sum;
}

static void finish(void) {
  uint32_t end[2] = {0xffffffffu, checksum() == checksum_before};
  emit(end, sizeof end);
  flush();
  syscall1(__NR_exit, 0);
}

static int is_writable(const struct page *page) { return (page->protection & PROT_WRITE) != 0; }

/* Two passes over the guest's writable pages: the first finds how many words changed, the second writes them down. */
static uint32_t count_changes(void) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < header.page_count; i++) {
    if (!is_writable(&pages[i])) continue;
    const uint64_t *now = (const uint64_t *)pages[i].address, *was = (const uint64_t *)(pristine + i * PAGE);
    uint64_t differ = 0;
    for (int word = 0; word < PAGE / 8; word++) differ |= now[word] ^ was[word];
    if (differ == 0) continue;
    for (int word = 0; word < PAGE / 8; word++) count += now[word] != was[word];
  }
  return count;
}

static void emit_and_undo_changes(void) {
  for (uint32_t i = 0; i < header.page_count; i++) {
    if (!is_writable(&pages[i])) continue;
    uint64_t *now = (uint64_t *)pages[i].address;
    const uint64_t *was = (const uint64_t *)(pristine + i * PAGE);
    for (uint32_t word = 0; word < PAGE / 8; word++) {
      if (now[word] == was[word]) continue;
      struct change change = {i * (PAGE / 8) + word, {(uint32_t)now[word], (uint32_t)(now[word] >> 32)}};
      emit(&change, sizeof change);
      now[word] = was[word];
    }
  }
}

static void report(const struct sigcontext_64 *regs, uint32_t vector) {
  struct result result = {.number = current, .vector = vector, .error = regs->err, .changes = count_changes(), .address = regs->cr2};
  const uint64_t gpr[16] = {regs->ax, regs->cx, regs->dx,  regs->bx,  regs->sp,  regs->bp,  regs->si,  regs->di,
                            regs->r8, regs->r9, regs->r10, regs->r11, regs->r12, regs->r13, regs->r14, regs->r15};
  __builtin_memcpy(result.state.gpr, gpr, sizeof gpr);
  result.state.rip = regs->ip;
  result.state.rflags = regs->flags;
  const uint8_t *fpu = (const uint8_t *)regs->fpstate;
  __builtin_memcpy(result.state.fxsave, fpu, ST_TO_XMM_END);
  __builtin_memcpy(result.state.ymm_high, fpu + YMM_OFFSET, 256);
  emit(&result, sizeof result);
  if (result.changes) emit_and_undo_changes();
}

static void load(struct sigcontext_64 *regs, const struct state *state) {
  const uint64_t *r = state->gpr;
  regs->ax = r[0], regs->cx = r[1], regs->dx = r[2], regs->bx = r[3], regs->sp = r[4], regs->bp = r[5];
  regs->si = r[6], regs->di = r[7], regs->r8 = r[8], regs->r9 = r[9], regs->r10 = r[10], regs->r11 = r[11];
  regs->r12 = r[12], regs->r13 = r[13], regs->r14 = r[14], regs->r15 = r[15];
  regs->ip = state->rip;
  regs->flags = state->rflags;
  uint8_t *fpu = (uint8_t *)regs->fpstate;
  __builtin_memcpy(fpu, state->fxsave, ST_TO_XMM_END);
  __builtin_memcpy(fpu + YMM_OFFSET, state->ymm_high, 256);
  *(uint64_t *)(fpu + XSTATE_BV_OFFSET) |= 7;
}

__attribute__((used)) void on_signal(int number, siginfo_t *info, struct frame_context *context) {
  (void)info;
  struct sigcontext_64 *regs = &context->regs;
  if (number == SIGVTALRM_) {
    if (current < 0 || ticked != current) {
      ticked = current;
      return;
    }
  }
  if (current >= 0) report(regs, number == SIGVTALRM_ ? TIMED_OUT : regs->trapno);
  if (++current == header.case_count) finish();
  load(regs, &cases[current]);
}

static void map_pages(void) {
  for (uint32_t i = 0; i < header.page_count; i++) {
    long place = syscall6(__NR_mmap, pages[i].address, PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (place != (long)pages[i].address) die("cannot map a guest page\n");
    __builtin_memcpy((void *)place, pristine + i * PAGE, PAGE);
    if (syscall3(__NR_mprotect, place, PAGE, pages[i].protection) != 0) die("cannot protect a guest page\n");
  }
}

static void catch_signals(void) {
  static const int signals[] = {SIGILL_, SIGTRAP_, SIGBUS_, SIGFPE_, SIGSEGV_, SIGVTALRM_};
  stack_t stack = {.ss_sp = signal_stack, .ss_flags = 0, .ss_size = sizeof signal_stack};
  if (syscall2(__NR_sigaltstack, (long)&stack, 0) != 0) die("no signal stack\n");
  struct sigaction action = {0};
  action.sa_handler = (__sighandler_t)(void *)signal_entry;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTORER;
  action.sa_restorer = (__sigrestore_t)(void *)signal_return;
  action.sa_mask = ~0ul;
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    if (syscall4(__NR_rt_sigaction, signals[i], (long)&action, 0, 8) != 0) die("cannot catch a signal\n");
  }
}

static void run_batch(void) {
  if (read_some(&header, sizeof header) != sizeof header) syscall1(__NR_exit, NO_MORE_BATCHES);
  if (header.magic != BATCH_MAGIC || header.page_count > MAX_PAGES) die("this is not a batch\n");
  size_t table = header.page_count * sizeof(struct page), contents = (size_t)header.page_count * PAGE;
  size_t size = table + contents + header.case_count * sizeof(struct state);
  long place = syscall6(__NR_mmap, 0, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place < 0 && place > -4096) die("no memory for the batch\n");
  pages = (struct page *)place;
  pristine = (uint8_t *)place + table;
  cases = (struct state *)(pristine + contents);
  read_all(pages, size);
  map_pages();
  checksum_before = checksum();
  catch_signals();
  syscall2(__NR_arch_prctl, ARCH_SET_FS, header.fs_base);
  syscall2(__NR_arch_prctl, ARCH_SET_GS, header.gs_base);
  struct __kernel_old_itimerval tick = {{0, header.tick_us}, {0, header.tick_us}};
  syscall3(__NR_setitimer, 1 /* ITIMER_VIRTUAL */, (long)&tick, 0);
  if (syscall5(__NR_prctl, PR_SET_SECCOMP, 1 /* strict */, 0, 0, 0) != 0) die("no seccomp\n");
  asm volatile("int3" ::: "memory");
}

static void serve(const char *input, const char *output_name) {
  long in = syscall3(__NR_open, (long)input, O_RDONLY, 0), out = syscall3(__NR_open, (long)output_name, O_WRONLY, 0);
  long results = syscall2(__NR_memfd_create, (long)"results", 0);
  if (in < 0 || out < 0 || results < 0) die("cannot open the pipes\n");
  syscall2(__NR_dup2, in, 0);
  for (;;) {
    syscall2(__NR_ftruncate, results, 0);
    syscall3(__NR_lseek, results, 0, SEEK_SET);
    long child = syscall1(__NR_fork, 0);
    if (child == 0) {
      syscall2(__NR_dup2, results, 1);
      run_batch();
    }
    uint32_t head[2] = {0, 0};
    if (child < 0 || syscall4(__NR_wait4, child, (long)&head[0], 0, 0) != child) die("cannot run a batch\n");
    if (head[0] == NO_MORE_BATCHES << 8) syscall1(__NR_exit, 0);
    head[1] = syscall3(__NR_lseek, results, 0, SEEK_END);
    if (syscall3(__NR_write, out, (long)head, sizeof head) != sizeof head) syscall1(__NR_exit, 4);
    for (long offset = 0; offset < head[1];) {
      if (syscall4(__NR_sendfile, out, results, (long)&offset, head[1] - offset) <= 0) syscall1(__NR_exit, 4);
    }
  }
}

__attribute__((used, noreturn)) void begin(long *stack) {
  if (stack[0] == 3) serve((const char *)stack[2], (const char *)stack[3]);
  run_batch();
  __builtin_unreachable();
}
