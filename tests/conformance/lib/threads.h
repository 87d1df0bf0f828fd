/* Threads, waiting until somebody sleeps, and signals, for the conformance programs. */
#ifndef CONFORMANCE_THREADS_H
#define CONFORMANCE_THREADS_H

#include "case.h"

/* --- threads -------------------------------------------------------------------------------------------------------- */

struct thread {
  volatile int tid; /* the kernel clears it when the thread is gone */
  int number;       /* the same, kept */
};
/* Starts a thread as pthread_create() does. It ends when the function returns. */
struct thread *start_thread(int (*function)(void *), void *argument);
/* Waits with a futex for the word that the kernel clears. */
void join_thread(struct thread *thread);

/* --- waiting for others --------------------------------------------------------------------------------------------- */

/* The state letter of a task in /proc/TID/stat, 0 when it is gone. */
char state_of(long tid);
/* Waits until a task sleeps (S). For tasks which on their way into the call under test sleep nowhere else. */
void wait_until_asleep(long tid);
void wait_until_state(long tid, char state);

/* --- signals -------------------------------------------------------------------------------------------------------- */

static inline uint64_t set_mask(int how, uint64_t set) {
  uint64_t old = 0;
  expect_value(SYS4(rt_sigprocmask, how, &set, &old, 8), 0, "rt_sigprocmask");
  return old;
}
static inline uint64_t current_mask(void) {
  uint64_t old = 0;
  SYS4(rt_sigprocmask, SIG_BLOCK, 0, &old, 8);
  return old;
}
static inline uint64_t pending_signals(void) {
  uint64_t set = 0;
  SYS2(rt_sigpending, &set, 8);
  return set;
}
/* Installs a handler with flags and a mask of its own. */
void handle(int signal, void (*handler)(int, struct siginfo *, struct ucontext *), uint64_t flags, uint64_t mask);
/* Takes a signal of the set without waiting; gives its number or the errno. */
long take_signal(uint64_t set, struct siginfo *info);
/* Takes a signal of the set and waits up to five seconds for it. */
long await_signal(uint64_t set, struct siginfo *info);

/* What note_signal, a handler, has seen, in this process. */
struct noted {
  int count;
  int signals[32];
  struct siginfo infos[32];
  int tids[32];
};
extern volatile struct noted noted;
void note_signal(int signal, struct siginfo *info, struct ucontext *context);

/* --- time ----------------------------------------------------------------------------------------------------------- */

/* CLOCK_MONOTONIC in microseconds. */
long now_us(void);
long clock_us(int clock);
static inline struct timespec from_us(long us) { return (struct timespec){us / 1000000, us % 1000000 * 1000}; }
/* Uses the processor for so long. */
void burn_us(long us);

/* --- other ---------------------------------------------------------------------------------------------------------- */

/* Writes a text to a file that exists. Gives 0 or the errno. */
long write_text(const char *path, const char *text);
/* Creates a file with this content. */
void make_file(const char *path, const void *content, size_t size, int mode);
/* An empty tmpfs on /tmp, made the working directory. It is in a mount namespace of the case's own and vanishes with it. */
const char *own_folder(void);
/* The number behind a name in /proc/WHO/status, in this base; -1 when the line is not there. */
unsigned long status_number(const char *who, const char *name, int base);

#endif
