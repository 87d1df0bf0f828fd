/*
 * Executes single instructions on the host's processor. Standard input: cases as `struct record`; standard output: the
 * same with the state behind the instruction. See native.ts.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define DATA 0x10000000ul
#define MEMORY 256

struct state {
  uint64_t gpr[16];
  uint64_t rflags;
  uint64_t mxcsr;
  uint8_t ymm[16][32];
};

struct record {
  uint8_t code[16];
  uint32_t length, signal;
  struct state state;
  uint8_t memory[MEMORY];
};

struct state *current;
uint64_t host_rsp, guest_r15;
void *entry;
static sigjmp_buf escape;

void execute(void);
void finished(void);

__asm__(
    ".text\n.globl execute\nexecute:\n"
    "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp, host_rsp(%rip)\n"
    "mov current(%rip), %r15\n"
    "vldmxcsr 136(%r15)\n"
#define LOAD(n) "vmovdqu 144+" #n "*32(%r15), %ymm" #n "\n"
    LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7) LOAD(8) LOAD(9) LOAD(10) LOAD(11) LOAD(12) LOAD(13)
        LOAD(14) LOAD(15)
    "push 128(%r15)\npopfq\n"
    "mov 0(%r15), %rax\nmov 8(%r15), %rcx\nmov 16(%r15), %rdx\nmov 24(%r15), %rbx\nmov 40(%r15), %rbp\n"
    "mov 48(%r15), %rsi\nmov 56(%r15), %rdi\nmov 64(%r15), %r8\nmov 72(%r15), %r9\nmov 80(%r15), %r10\n"
    "mov 88(%r15), %r11\nmov 96(%r15), %r12\nmov 104(%r15), %r13\nmov 112(%r15), %r14\nmov 120(%r15), %r15\n"
    "jmp *entry(%rip)\n"
    ".globl finished\nfinished:\n"
    "mov %r15, guest_r15(%rip)\n"
    "mov current(%rip), %r15\n"
    "mov %rax, 0(%r15)\nmov %rcx, 8(%r15)\nmov %rdx, 16(%r15)\nmov %rbx, 24(%r15)\nmov %rbp, 40(%r15)\n"
    "mov %rsi, 48(%r15)\nmov %rdi, 56(%r15)\nmov %r8, 64(%r15)\nmov %r9, 72(%r15)\nmov %r10, 80(%r15)\n"
    "mov %r11, 88(%r15)\nmov %r12, 96(%r15)\nmov %r13, 104(%r15)\nmov %r14, 112(%r15)\n"
    "mov guest_r15(%rip), %rax\nmov %rax, 120(%r15)\n"
    "mov host_rsp(%rip), %rsp\n"
    "pushfq\npopq 128(%r15)\ncld\n"
    "vstmxcsr 136(%r15)\n"
#define STORE(n) "vmovdqu %ymm" #n ", 144+" #n "*32(%r15)\n"
    STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5) STORE(6) STORE(7) STORE(8) STORE(9) STORE(10) STORE(11)
        STORE(12) STORE(13) STORE(14) STORE(15)
    "vzeroupper\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

static void caught(int number) { siglongjmp(escape, number); }

int main(void) {
  static uint8_t stack[65536];
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternative, NULL);
  struct sigaction action = {.sa_handler = caught, .sa_flags = SA_ONSTACK | SA_NODEFER};
  int signals[] = {SIGILL, SIGSEGV, SIGFPE, SIGBUS, SIGTRAP};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
  uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint8_t *data = mmap((void *)DATA, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (code == MAP_FAILED || data != (void *)DATA) return 1;
  entry = code;
  struct record record;
  while (fread(&record, sizeof record, 1, stdin) == 1) {
    static const uint8_t leave[6] = {0xff, 0x25, 0, 0, 0, 0};
    void *back = finished;
    memcpy(code, record.code, record.length);
    memcpy(code + record.length, leave, 6);
    memcpy(code + record.length + 6, &back, 8);
    memcpy(data, record.memory, MEMORY);
    current = &record.state;
    record.state.gpr[4] = 0;
    record.signal = sigsetjmp(escape, 1);
    if (record.signal == 0) execute();
    memcpy(record.memory, data, MEMORY);
    if (fwrite(&record, sizeof record, 1, stdout) != 1) return 1;
  }
  return 0;
}
