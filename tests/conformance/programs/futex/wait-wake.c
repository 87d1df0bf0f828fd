/* Waiting for a word and waking the waiters (futex(2)). */
#include "threads.h"

static volatile int word, second;
static char zeros[PAGE_SIZE];

static long futex(volatile int *at, int operation, int value, const void *timeout, volatile int *other, unsigned value3) {
  return SYS6(futex, at, operation, value, timeout, other, value3);
}
static struct timespec after_us(int clock, long us) { return from_us(clock_us(clock) + us); }

static int wait_on_word(void *operation) {
  long result = futex(&word, (int)(long)operation, 0, 0, 0, ~0U);
  __atomic_fetch_add((int *)&shared->words[result == 0 ? 0 : 1], 1, __ATOMIC_SEQ_CST);
  return 0;
}
static struct thread *threads[8];
static void start_waiters(int count, int operation) {
  for (int i = 0; i < count; i++) threads[i] = start_thread(wait_on_word, (void *)(long)operation);
  for (int i = 0; i < count; i++) wait_until_asleep(threads[i]->number);
}

CASE(value_differs, "FUTEX_WAIT gives EAGAIN at once when the word has another value") {
  word = 5;
  expect_error(EAGAIN, futex(&word, FUTEX_WAIT, 4, 0, 0, 0));
  expect_error(EAGAIN, futex(&word, FUTEX_WAIT_PRIVATE, 4, 0, 0, 0));
  expect_error(EAGAIN, futex(&word, FUTEX_WAIT_BITSET, 4, 0, 0, 1));
}

CASE(wake_none, "FUTEX_WAKE gives 0 when nobody waits") {
  expect_value(futex(&word, FUTEX_WAKE, 1, 0, 0, 0), 0, "wake");
  expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 0x7fffffff, 0, 0, 0), 0, "wake all");
}

CASE(wakes_as_many, "FUTEX_WAKE wakes as many waiters as asked for and gives their number") {
  start_waiters(4, FUTEX_WAIT_PRIVATE);
  expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0), 1, "waking one");
  wait_until(shared->words[0] == 1, "one has come back");
  expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 2, 0, 0, 0), 2, "waking two");
  wait_until(shared->words[0] == 3, "three have come back");
  expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 0x7fffffff, 0, 0, 0), 1, "waking all");
  for (int i = 0; i < 4; i++) join_thread(threads[i]);
  expect_value(shared->words[1], 0, "waiters with an error");
}

CASE(first_in_first_out, "waiters of equal priority are woken in the order in which they came") {
  for (int i = 0; i < 3; i++) {
    threads[i] = start_thread(wait_on_word, (void *)(long)FUTEX_WAIT_PRIVATE);
    wait_until_asleep(threads[i]->number);
  }
  for (int i = 0; i < 3; i++) {
    expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0), 1, "wake");
    join_thread(threads[i]);
  }
}

CASE(wake_zero_or_less, "FUTEX_WAKE with 0 wakes one, as it always has") {
  start_waiters(2, FUTEX_WAIT_PRIVATE);
  expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 0, 0, 0, 0), 1, "wake 0");
  expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 2, 0, 0, 0), 1, "wake the rest");
}

CASE(private_and_shared, "private and shared operations on the same word of private memory do not meet") {
  start_waiters(1, FUTEX_WAIT);
  expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0), 0, "private wake of a shared waiter");
  expect_value(futex(&word, FUTEX_WAKE, 1, 0, 0, 0), 1, "shared wake");
  join_thread(threads[0]);
}

CASE(relative_timeout, "the timeout of FUTEX_WAIT is relative: ETIMEDOUT, not before the time is over") {
  struct timespec time = from_us(20000);
  long begin = now_us();
  expect_error(ETIMEDOUT, futex(&word, FUTEX_WAIT, 0, &time, 0, 0));
  long took = now_us() - begin;
  expect(took >= 20000 && took < 1000000, "it took %ld us", took);
}

CASE(absolute_timeout, "the timeout of FUTEX_WAIT_BITSET is absolute, on CLOCK_MONOTONIC or CLOCK_REALTIME") {
  long begin = now_us();
  struct timespec time = after_us(CLOCK_MONOTONIC, 20000);
  expect_error(ETIMEDOUT, futex(&word, FUTEX_WAIT_BITSET, 0, &time, 0, ~0U));
  expect(now_us() - begin >= 20000, "monotonic: it took %ld us", now_us() - begin);
  begin = now_us();
  time = after_us(CLOCK_REALTIME, 20000);
  expect_error(ETIMEDOUT, futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &time, 0, ~0U));
  long took = now_us() - begin;
  expect(took >= 19000 && took < 1000000, "realtime: it took %ld us", took);
}

CASE(past_timeout, "an absolute time in the past gives ETIMEDOUT at once") {
  struct timespec time = {0, 0};
  expect_error(ETIMEDOUT, futex(&word, FUTEX_WAIT_BITSET, 0, &time, 0, ~0U));
  expect_error(ETIMEDOUT, futex(&word, FUTEX_WAIT, 0, &time, 0, 0));
}

CASE(bad_timeouts, "a time with a negative part or too many nanoseconds gives EINVAL") {
  struct timespec bad[] = {{0, 1000000000}, {-1, 0}, {0, -1}};
  for (int i = 0; i < LENGTH(bad); i++) {
    expect_error(EINVAL, futex(&word, FUTEX_WAIT, 0, &bad[i], 0, 0));
    expect_error(EINVAL, futex(&word, FUTEX_WAIT_BITSET, 0, &bad[i], 0, ~0U));
  }
  expect_error(EFAULT, futex(&word, FUTEX_WAIT, 0, (void *)8, 0, 0));
}

CASE(errors, "futex refuses unaligned words, empty bit sets and unknown operations") {
  char *at = (char *)&word;
  expect_error(EINVAL, futex((int *)(at + 1), FUTEX_WAIT, 0, 0, 0, 0));
  expect_error(EINVAL, futex((int *)(at + 2), FUTEX_WAKE, 1, 0, 0, 0));
  expect_error(EINVAL, futex(&word, FUTEX_WAIT_BITSET, 0, 0, 0, 0));
  expect_error(EINVAL, futex(&word, FUTEX_WAKE_BITSET, 1, 0, 0, 0));
  expect_error(ENOSYS, futex(&word, FUTEX_FD, 0, 0, 0, 0));
  expect_error(ENOSYS, futex(&word, 14, 0, 0, 0, 0));
  expect_error(ENOSYS, futex(&word, 0x7f, 0, 0, 0, 0));
  expect_error(ENOSYS, futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, 0, 0, 0));
}

CASE(bad_addresses, "a word nobody can read gives EFAULT, a private wake does not look at it") {
  int *hole = (int *)guard(1);
  expect_error(EFAULT, futex(hole, FUTEX_WAIT, 0, 0, 0, 0));
  expect_error(EFAULT, futex(hole, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0));
  expect_error(EFAULT, futex(hole, FUTEX_WAKE, 1, 0, 0, 0));
  expect_value(futex(hole, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0), 0, "private wake");
  expect_error(EFAULT, futex((int *)0xffff800000000000, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
}

static int wait_with_bits(void *bits) {
  futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, 0, 0, (unsigned)(long)bits);
  return 0;
}

CASE(bit_sets, "FUTEX_WAKE_BITSET wakes those whose bits meet its own, FUTEX_WAKE everybody") {
  threads[0] = start_thread(wait_with_bits, (void *)1);
  threads[1] = start_thread(wait_with_bits, (void *)2);
  threads[2] = start_thread(wait_with_bits, (void *)4);
  for (int i = 0; i < 3; i++) wait_until_asleep(threads[i]->number);
  expect_value(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, 0, 0, 8), 0, "bits nobody has");
  expect_value(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, 0, 0, 2), 1, "bit 2");
  join_thread(threads[1]);
  expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 10, 0, 0, 0), 2, "all");
}

/* --- requeue -------------------------------------------------------------------------------------------------------- */

CASE(requeue, "FUTEX_REQUEUE wakes some and moves others to the second word") {
  start_waiters(4, FUTEX_WAIT_PRIVATE);
  expect_value(futex(&word, FUTEX_REQUEUE_PRIVATE, 1, (void *)2, &second, 0), 3, "woken and moved");
  wait_until(shared->words[0] == 1, "one is awake");
  expect_value(futex(&second, FUTEX_WAKE_PRIVATE, 10, 0, 0, 0), 2, "waiters at the second word");
  expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 10, 0, 0, 0), 1, "waiters at the first word");
}

CASE(cmp_requeue, "FUTEX_CMP_REQUEUE gives EAGAIN when the word has another value, and moves otherwise") {
  start_waiters(3, FUTEX_WAIT_PRIVATE);
  expect_error(EAGAIN, futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10, &second, 1));
  expect_value(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)10, &second, 0), 3, "moved");
  expect_value(futex(&word, FUTEX_WAKE_PRIVATE, 10, 0, 0, 0), 0, "waiters at the first word");
  expect_value(futex(&second, FUTEX_WAKE_PRIVATE, 10, 0, 0, 0), 3, "waiters at the second word");
}

CASE(requeue_errors, "requeueing refuses negative counts with EINVAL and bad words with EFAULT") {
  expect_error(EINVAL, futex(&word, FUTEX_CMP_REQUEUE, -1, 0, &second, 0));
  expect_error(EINVAL, futex(&word, FUTEX_CMP_REQUEUE, 0, (void *)-1, &second, 0));
  expect_error(EFAULT, futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, (int *)guard(1), 0));
}

CASE(requeued_timeout, "a waiter that was moved still times out") {
  struct timespec late = from_us(60000);
  long pid = expect_ok(sys_fork());
  volatile int *words = &shared->words[20];
  if (pid == 0) {
    expect_error(ETIMEDOUT, futex(&words[0], FUTEX_WAIT, 0, &late, 0, 0));
    sys_exit_group(0);
  }
  wait_until_asleep(pid);
  expect_value(futex(&words[0], FUTEX_CMP_REQUEUE, 0, (void *)1, &words[1], 0), 1, "moved");
  reap_good(pid);
  expect_value(futex(&words[1], FUTEX_WAKE, 1, 0, 0, 0), 0, "nobody is left there");
}

/* --- wake_op: one row for each operation and each comparison ---------------------------------------------------------- */

struct operation {
  int op, before, argument, after;
};
static void wake_op_changes(long index) {
  static const struct operation rows[] = {
      {FUTEX_OP_SET, 7, 3, 3},
      {FUTEX_OP_ADD, 7, 3, 10},
      {FUTEX_OP_OR, 5, 10, 15},
      {FUTEX_OP_ANDN, 15, 5, 10},
      {FUTEX_OP_XOR, 15, 5, 10},
      {FUTEX_OP_ADD, 7, 0xfff, 6}, /* the argument has 12 bits with a sign */
      {FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 1, 5, 32},
      {FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 1, 31, (int)0x80000001},
  };
  const struct operation *row = &rows[index];
  second = row->before;
  expect_value(futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &second, FUTEX_OP(row->op, row->argument, FUTEX_OP_CMP_EQ, 0)), 0, "wake_op");
  expect_value(second, row->after, "the second word");
}
CASE_ROW(op_set, wake_op_changes, 0, "FUTEX_WAKE_OP with OP_SET sets the second word")
CASE_ROW(op_add, wake_op_changes, 1, "FUTEX_WAKE_OP with OP_ADD adds")
CASE_ROW(op_or, wake_op_changes, 2, "FUTEX_WAKE_OP with OP_OR sets bits")
CASE_ROW(op_andn, wake_op_changes, 3, "FUTEX_WAKE_OP with OP_ANDN clears bits")
CASE_ROW(op_xor, wake_op_changes, 4, "FUTEX_WAKE_OP with OP_XOR flips bits")
CASE_ROW(op_sign, wake_op_changes, 5, "FUTEX_WAKE_OP takes its argument as a signed number of 12 bits")
CASE_ROW(op_shift, wake_op_changes, 6, "FUTEX_WAKE_OP with OPARG_SHIFT uses 1 shifted left by the argument")
CASE_ROW(op_shift_31, wake_op_changes, 7, "FUTEX_WAKE_OP with OPARG_SHIFT reaches bit 31")

static int wait_on_second(void *unused) {
  (void)unused;
  futex(&second, FUTEX_WAIT_PRIVATE, second, 0, 0, 0);
  return 0;
}

/* bits of `wanted`: old value less than, equal to, greater than the argument 5 */
static void wake_op_compares(long argument) {
  int compare = (int)(argument & 0xff), wanted = (int)(argument >> 8);
  static const int values[] = {-3, 5, 9};
  for (int i = 0; i < 3; i++) {
    second = values[i];
    struct thread *thread = start_thread(wait_on_second, 0);
    wait_until_asleep(thread->number);
    int expected = wanted >> i & 1;
    expect_value(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &second, FUTEX_OP(FUTEX_OP_ADD, 1, compare, 5)), expected, "woken");
    if (!expected) expect_value(futex(&second, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0), 1, "still waiting");
    join_thread(thread);
  }
}
CASE_ROW(cmp_eq, wake_op_compares, FUTEX_OP_CMP_EQ | 2 << 8, "FUTEX_WAKE_OP with CMP_EQ wakes at the second word when its old value is equal")
CASE_ROW(cmp_ne, wake_op_compares, FUTEX_OP_CMP_NE | 5 << 8, "FUTEX_WAKE_OP with CMP_NE wakes when it differs")
CASE_ROW(cmp_lt, wake_op_compares, FUTEX_OP_CMP_LT | 1 << 8, "FUTEX_WAKE_OP with CMP_LT wakes when it is less, with sign")
CASE_ROW(cmp_le, wake_op_compares, FUTEX_OP_CMP_LE | 3 << 8, "FUTEX_WAKE_OP with CMP_LE wakes when it is less or equal")
CASE_ROW(cmp_gt, wake_op_compares, FUTEX_OP_CMP_GT | 4 << 8, "FUTEX_WAKE_OP with CMP_GT wakes when it is greater")
CASE_ROW(cmp_ge, wake_op_compares, FUTEX_OP_CMP_GE | 6 << 8, "FUTEX_WAKE_OP with CMP_GE wakes when it is greater or equal")

CASE(wake_op_both, "FUTEX_WAKE_OP wakes at both words and gives the sum") {
  start_waiters(2, FUTEX_WAIT_PRIVATE);
  struct thread *thread = start_thread(wait_on_second, 0);
  wait_until_asleep(thread->number);
  expect_value(futex(&word, FUTEX_WAKE_OP_PRIVATE, 10, (void *)10, &second, FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)), 3, "woken");
}

CASE(wake_op_unknown, "FUTEX_WAKE_OP with an unknown operation or comparison gives ENOSYS") {
  expect_error(ENOSYS, futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &second, FUTEX_OP(5, 0, 0, 0)));
  expect_error(ENOSYS, futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &second, FUTEX_OP(0, 0, 6, 0)));
}

CASE(wake_op_readonly, "FUTEX_WAKE_OP on a read-only second word gives EFAULT") {
  char *page = low_memory(PAGE_SIZE);
  expect_ok(SYS3(mprotect, page, PAGE_SIZE, PROT_READ));
  expect_error(EFAULT, futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, (int *)page, FUTEX_OP(0, 0, 0, 0)));
}

/* --- between processes ---------------------------------------------------------------------------------------------- */

static void wake_between(volatile int *mine, volatile int *theirs) {
  long pid = expect_ok(sys_fork());
  if (pid == 0) sys_exit_group(futex(theirs, FUTEX_WAIT, 0, 0, 0, 0) == 0 ? 0 : 1);
  wait_until_asleep(pid);
  expect_value(futex(mine, FUTEX_WAKE, 1, 0, 0, 0), 1, "wake");
  reap_good(pid);
}

CASE(shared_anonymous, "processes meet at a word in shared anonymous memory") {
  long map = expect_ok(sys_mmap(0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  wake_between((int *)map, (int *)map);
}

CASE(shared_file, "processes meet at a word of a file mapped at two addresses") {
  own_folder();
  make_file("file", zeros, PAGE_SIZE, 0600);
  int fd = (int)expect_ok(sys_open("file", O_RDWR, 0));
  long one = expect_ok(sys_mmap(0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  long two = expect_ok(sys_mmap(0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  expect(one != two, "both mappings are at 0x%lx", one);
  wake_between((int *)(one + 64), (int *)(two + 64));
}

CASE(private_copy, "after a fork the same address in private memory is another word") {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    struct timespec time = from_us(100000);
    sys_exit_group(futex(&word, FUTEX_WAIT, 0, &time, 0, 0) == -ETIMEDOUT ? 0 : 1);
  }
  wait_until_asleep(pid);
  expect_value(futex(&word, FUTEX_WAKE, 1, 0, 0, 0), 0, "wake");
  sys_kill(pid, SIGKILL);
  reap(pid);
}

CASE(private_flag_in_shared, "in shared memory the private operations of two processes do not meet") {
  volatile int *at = &shared->words[30];
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    futex(at, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
    sys_exit_group(0);
  }
  wait_until_asleep(pid);
  expect_value(futex(at, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0), 0, "private wake");
  expect_value(futex(at, FUTEX_WAKE, 1, 0, 0, 0), 0, "shared wake");
  sys_kill(pid, SIGKILL);
  reap(pid);
}

CASE(cleartid, "the word of CLONE_CHILD_CLEARTID becomes 0 at the thread's end and wakes who waits for it") {
  struct thread *thread = start_thread(wait_on_word, (void *)(long)FUTEX_WAIT_PRIVATE);
  expect_value(thread->tid, thread->number, "the word while the thread lives");
  wait_until_asleep(thread->number);
  futex(&word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
  join_thread(thread);
  expect_value(thread->tid, 0, "the word afterwards");
}

static int exit_with_moved_word(void *at) {
  shared->words[0] = (int)SYS1(set_tid_address, at);
  return 0;
}
CASE(set_tid_address, "set_tid_address gives the thread's id and moves the word that is cleared") {
  static volatile int other = 1;
  struct thread *thread = start_thread(exit_with_moved_word, (void *)&other);
  wait_until(other == 0, "the other word is cleared");
  expect_value(shared->words[0], thread->number, "the result");
  expect_value(thread->tid, thread->number, "the first word");
}

static int take_turns(void *which) {
  int own = (int)(long)which;
  for (int i = 0; i < 200; i++) {
    while (word != own) futex(&word, FUTEX_WAIT_PRIVATE, !own, 0, 0, 0);
    word = !own;
    futex(&word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
  }
  return 0;
}
CASE(ping_pong, "two threads hand a word to each other 200 times") {
  struct thread *one = start_thread(take_turns, (void *)0), *two = start_thread(take_turns, (void *)1);
  join_thread(one), join_thread(two);
}

static int wait_on_page(void *page) {
  struct timespec time = from_us(20000);
  shared->words[2] = (int)futex(page, FUTEX_WAIT_PRIVATE, 0, &time, 0, 0);
  return 0;
}

CASE(unmapped_while_waiting, "a waiter whose memory another thread unmaps sleeps on until its time is over") {
  char *page = low_memory(PAGE_SIZE);
  struct thread *thread = start_thread(wait_on_page, page);
  wait_until_asleep(thread->number);
  expect_ok(sys_munmap(page, PAGE_SIZE));
  join_thread(thread);
  expect_value(shared->words[2], -ETIMEDOUT, "its result");
}
MAIN("futex.wait-wake")
