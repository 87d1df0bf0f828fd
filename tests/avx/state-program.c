/* AVX state where Linux keeps it: across signals and in their frames, fork, threads, execve. Prints what it finds. */
#define _GNU_SOURCE
#include <immintrin.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define AT_YMM 576

struct sw_bytes {
  uint32_t magic1, extended_size;
  uint64_t xfeatures;
  uint32_t xstate_size;
};

static volatile int changes_frame, breaks_magic;

static uint8_t *frame_of(void *context) { return (uint8_t *)((ucontext_t *)context)->uc_mcontext.fpregs; }

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  uint8_t *area = frame_of(context);
  struct sw_bytes sw;
  memcpy(&sw, area + 464, sizeof sw);
  uint32_t magic2;
  memcpy(&magic2, area + sw.xstate_size, 4);
  uint64_t bv;
  memcpy(&bv, area + 512, 8);
  /* The host may have more components than AVX. */
  printf("frame: magic %x %x, has AVX %d, sizes agree %d, aligned %d, flags %lx, in use %d\n", sw.magic1, magic2,
         (sw.xfeatures & 7) == 7, sw.extended_size == sw.xstate_size + 4, (int)((uintptr_t)area % 64),
         ((ucontext_t *)context)->uc_flags & 7, (int)(bv & 7));
  printf("ymm7 in the frame: %02x %02x\n", area[160 + 7 * 16], area[AT_YMM + 7 * 16]);
  if (changes_frame) {
    memset(area + 160 + 7 * 16, 0x33, 16);
    memset(area + AT_YMM + 7 * 16, 0x44, 16);
  }
  if (breaks_magic) memset(area + 464, 0, 4);
  _mm256_zeroall();
  __asm__ volatile("vpcmpeqd %%ymm7, %%ymm7, %%ymm7" ::: "xmm7");
}

static void raise_with(const char *title, int low, int high) {
  uint8_t before[32], after[32];
  memset(before, low, 16);
  memset(before + 16, high, 16);
  long pid = getpid(), result;
  __asm__ volatile(
      "vmovdqu %[before], %%ymm7\n"
      "mov $62, %%eax\n"
      "mov $10, %%esi\n"
      "syscall\n"
      "vmovdqu %%ymm7, %[after]\n"
      : [after] "=m"(after), "=a"(result)
      : [before] "m"(before), "D"(pid)
      : "rcx", "r11", "rsi", "xmm7", "memory");
  printf("%s: %ld %02x %02x\n", title, result, after[0], after[31]);
}

static void *worker(void *argument) {
  int n = (int)(intptr_t)argument, wrong = 0;
  for (int i = 0; i < 3000; i++) {
    uint8_t mine[32], seen[32];
    memset(mine, n * 7 + i, 32);
    __asm__ volatile(
        "vmovdqu %1, %%ymm9\n mov $24, %%eax\n syscall\n vmovdqu %%ymm9, %0"
        : "=m"(seen)
        : "m"(mine)
        : "rax", "rcx", "r11", "xmm9", "memory");
    wrong += memcmp(mine, seen, 32) != 0;
  }
  return (void *)(intptr_t)wrong;
}

static void in_child(void) {
  uint8_t mine[32], seen[32];
  for (int i = 0; i < 32; i++) mine[i] = 200 - i;
  long pid;
  __asm__ volatile(
      "vmovdqu %2, %%ymm11\n mov $57, %%eax\n syscall\n vmovdqu %%ymm11, %0"
      : "=m"(seen), "=a"(pid)
      : "m"(mine)
      : "rcx", "r11", "xmm11", "memory");
  if (pid == 0) _exit(memcmp(mine, seen, 32) == 0 ? 5 : 6);
  int status;
  waitpid(pid, &status, 0);
  printf("child has the state: %d, parent: %d\n", WEXITSTATUS(status), memcmp(mine, seen, 32) == 0);
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  if (argc > 1) {
    /* Behind execve: all zero. What libc did since, it did with vzeroupper. */
    uint8_t seen[32];
    __asm__ volatile("vmovdqu %%ymm15, %0" : "=m"(seen));
    int set = 0;
    for (int i = 16; i < 32; i++) set += seen[i] != 0;
    printf("after execve: %d\n", set);
    return 0;
  }
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  raise_with("kept", 0x11, 0x22);
  changes_frame = 1;
  raise_with("changed by the handler", 0x11, 0x22);
  breaks_magic = 1;
  raise_with("without the magic number only SSE comes back", 0x11, 0x22);
  pthread_t threads[3];
  long wrong = 0;
  for (intptr_t i = 0; i < 3; i++) pthread_create(&threads[i], NULL, worker, (void *)i);
  for (int i = 0; i < 3; i++) {
    void *result;
    pthread_join(threads[i], &result);
    wrong += (intptr_t)result;
  }
  printf("threads: %ld\n", wrong);
  in_child();
  printf("minimum stack holds the frame: %d\n", getauxval(AT_MINSIGSTKSZ) >= 832 + 440);
  fflush(stdout);
  __asm__ volatile("vpcmpeqd %%ymm15, %%ymm15, %%ymm15" ::: "xmm15");
  execl(argv[0], argv[0], "again", NULL);
  return 1;
}
