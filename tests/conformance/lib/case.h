/* Cases beside their sentences: the other way to write a program's table.
 *
 *   CASE(gives_zero_in_the_child, "fork gives 0 in the child") { ... }
 *   CASE_ROW(killed_in_read, kill_blocked, READ_PIPE, "SIGKILL ends a read from an empty pipe")
 *   MAIN("fork")
 *
 * The linker collects them in their order; the number in the output is the place in the file. */
#ifndef CONFORMANCE_CASE_H
#define CONFORMANCE_CASE_H

#include "constants.h"
#include "family.h"

#define CASE_ENTRY(name, tags, sentence, function, argument)                                                          \
  static const struct test_case case_##name                                                                           \
      __attribute__((used, no_reorder, section("test_cases"), aligned(8))) = {__COUNTER__ + 1, tags, sentence, function, argument}

#define CASE_TAGGED(name, tags, sentence)                          \
  static void name(long);                                          \
  CASE_ENTRY(name, tags, sentence, name, 0);                       \
  static void name(long argument_ __attribute__((unused)))

#define CASE(name, sentence) CASE_TAGGED(name, 0, sentence)
/* One function for several sentences. */
#define CASE_ROW(name, function, argument, sentence) CASE_ENTRY(name, 0, sentence, function, argument);

extern const struct test_case __start_test_cases[], __stop_test_cases[];

#define MAIN(title)                                                                                    \
  int main(int argc, char **argv, char **envp) {                                                       \
    struct suite suite = {.list = title,                                                               \
                          .cases = __start_test_cases,                                                 \
                          .count = (int)(__stop_test_cases - __start_test_cases)};                     \
    return tap_main(argc, argv, envp, &suite);                                                         \
  }

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

/* A call that must fail with exactly this errno. */
#define expect_error(number, call)                                                                                   \
  do {                                                                                                               \
    long result_ = (long)(call);                                                                                     \
    if (result_ != -(number))                                                                                        \
      case_fails(__LINE__, "%s: wanted %s (%d), got %ld %s", #call, #number, number, result_, is_error(result_) ? errno_name(result_) : ""); \
  } while (0)

/* A call that must succeed; gives its result. */
#define expect_ok(call)                                                                                     \
  ({                                                                                                        \
    long good_ = (long)(call);                                                                              \
    if (is_error(good_)) case_fails(__LINE__, "%s: wanted success, got %ld %s", #call, good_, errno_name(good_)); \
    good_;                                                                                                  \
  })

/* A call that this kernel may not have or that this user may not do: the case is skipped on a real Linux, not in the machine. */
#define skip_unless(condition, reason)                     \
  do {                                                     \
    if (!(condition) && !on_trapgate) case_skips(reason);  \
  } while (0)

#endif
