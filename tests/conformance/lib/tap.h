/* The small test kit of the conformance programs.
 *
 * A program is a table of cases. Each case runs in a process of its own, with a time limit, so that a case which crashes,
 * hangs or leaves children behind spoils nothing but itself. The result is TAP 14 on standard output.
 *
 * How a case says what it found: with the expect macros, from any of its processes. The first failure ends that process and
 * is noted in memory shared with the harness, so that it counts even when nobody passes the exit status on. */
#ifndef CONFORMANCE_TAP_H
#define CONFORMANCE_TAP_H

#include "linux.h"
#include "sys.h"
#include "text.h"

enum tag {
  SHARED = 1,       /* true for clone() and clone3() too, so it also runs on a real Linux (see call.h) */
  SETS_PID_MAX = 2, /* writes /proc/sys: only in the machine, never on somebody's computer */
  SLOW = 4          /* has ten times the usual time */
};

struct test_case {
  int number; /* in the specification's list */
  unsigned tags;
  const char *name; /* a sentence */
  void (*run)(long argument);
  long argument;
};

struct suite {
  const char *list;   /* "C7": printed with the number, as in [C7.21] */
  int needs_clone2;   /* skip everything where the call does not exist */
  unsigned only_tag;  /* run only cases with this tag; 0 runs all */
  const struct test_case *cases;
  int count;
};

#define SUITE_CASES(table) .cases = (table), .count = sizeof(table) / sizeof *(table)

/* The whole program: `PROGRAM [CASE NUMBER ...]`. Gives the exit status: 0 when no case failed. */
int tap_main(int argc, char **argv, char **envp, const struct suite *suite);

/* What a task says about itself. */
struct facts {
  int pid, tid, ppid, pgid, sid;
  int levels, nspid[40]; /* the NSpid line: outermost first */
};

/* Memory that all processes of a case share; zero when a case begins. */
struct shared {
  volatile int failed, skipped, old_pid_max;
  char message[400];
  struct facts facts[24];
  volatile int words[64];
};
extern struct shared *shared;

/* TRAPGATE=1 in the environment: this is our machine. Nobody else creates processes here, so sequences of pids are exact,
 * and the sysctls are ours to change. */
extern int on_trapgate;

void case_fails(int line, const char *form, ...) __attribute__((noreturn, format(printf, 2, 3)));
void case_skips(const char *reason) __attribute__((noreturn));

#define expect(condition, ...)                              \
  do {                                                      \
    if (!(condition)) case_fails(__LINE__, __VA_ARGS__);    \
  } while (0)

/* A number that must be exactly this one. */
#define expect_value(actual, wanted, what)                                                                  \
  do {                                                                                                      \
    long actual_ = (long)(actual), wanted_ = (long)(wanted);                                                \
    if (actual_ != wanted_)                                                                                 \
      case_fails(__LINE__, "%s: wanted %ld, got %ld%s%s", what, wanted_, actual_, is_error(actual_) ? " " : "", \
                 is_error(actual_) ? errno_name(actual_) : "");                                             \
  } while (0)

/* A call that must give this errno and leave no child behind, neither living nor dead. */
#define expect_refused(number, call)                         \
  do {                                                       \
    long children_ = count_children();                       \
    long result_ = (call);                                   \
    if (result_ == 0) sys_exit_group(0);                     \
    check_refusal(__LINE__, #call, result_, number, children_); \
  } while (0)
void check_refusal(int line, const char *call, long result, int number, long children_before);

/* A call that must create a child: gives its pid. Not for calls whose child comes back to the same line. */
#define expect_created(call)                                                                         \
  ({                                                                                                 \
    long created_ = (call);                                                                          \
    if (created_ <= 0) case_fails(__LINE__, "%s: wanted a child, got %s", #call, errno_name(created_)); \
    created_;                                                                                        \
  })

/* Waits (10 seconds at most) until something becomes true. */
#define wait_until(condition, what)                                                         \
  do {                                                                                      \
    int tries_ = 0;                                                                         \
    while (!(condition)) {                                                                  \
      if (++tries_ > 20000) case_fails(__LINE__, "waited in vain until %s", what);          \
      sleep_us(500);                                                                        \
    }                                                                                       \
  } while (0)

/* How many children this process has, zombies included. */
long count_children(void);

#endif
