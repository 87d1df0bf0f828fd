/* Locks with priority inheritance, and waiting for several words (futex(2), futex_waitv(2)). */
#include "threads.h"

static volatile int word, condition;

static long futex(volatile int *at, int operation, int value, const void *timeout, volatile int *other, unsigned value3) {
  return SYS6(futex, at, operation, value, timeout, other, value3);
}

CASE(free_lock, "LOCK_PI of a free word stores the thread's id, UNLOCK_PI puts 0 back") {
  expect_ok(futex(&word, FUTEX_LOCK_PI, 0, 0, 0, 0));
  expect_value(word, sys_gettid(), "the word when locked");
  expect_ok(futex(&word, FUTEX_UNLOCK_PI, 0, 0, 0, 0));
  expect_value(word, 0, "the word when unlocked");
}

CASE(deadlock, "LOCK_PI of a word the thread holds already gives EDEADLK") {
  word = (int)sys_gettid();
  expect_error(EDEADLK, futex(&word, FUTEX_LOCK_PI, 0, 0, 0, 0));
  expect_error(EDEADLK, futex(&word, FUTEX_TRYLOCK_PI, 0, 0, 0, 0));
}

CASE(not_owner, "UNLOCK_PI by another thread gives EPERM") {
  word = (int)sys_gettid() + 1;
  expect_error(EPERM, futex(&word, FUTEX_UNLOCK_PI, 0, 0, 0, 0));
  word = 0;
  expect_error(EPERM, futex(&word, FUTEX_UNLOCK_PI, 0, 0, 0, 0));
}

CASE(no_owner, "LOCK_PI of a word whose owner does not exist gives ESRCH") {
  word = free_pid();
  expect_error(ESRCH, futex(&word, FUTEX_LOCK_PI, 0, 0, 0, 0));
}

static int lock_and_hold(void *unused) {
  (void)unused;
  shared->words[1] = (int)futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, 0, 0, 0);
  shared->words[0]++;
  while (!shared->words[2]) sleep_us(500);
  if (shared->words[2] == 1) futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, 0, 0);
  return 0;
}

CASE(waits, "LOCK_PI of a held lock sleeps until UNLOCK_PI hands it over, and FUTEX_WAITERS says so meanwhile") {
  expect_ok(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, 0, 0, 0));
  struct thread *thread = start_thread(lock_and_hold, 0);
  wait_until_asleep(thread->number);
  expect_value((unsigned)word, FUTEX_WAITERS | (unsigned)sys_gettid(), "the word while one waits");
  expect_ok(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, 0, 0));
  wait_until(shared->words[0], "the other has it");
  expect_value(shared->words[1], 0, "its result");
  expect_value((unsigned)word & FUTEX_TID_MASK, thread->number, "the owner");
  shared->words[2] = 1;
  join_thread(thread);
  expect_value((unsigned)word & FUTEX_TID_MASK, 0, "the owner at the end");
}

CASE(try_lock, "TRYLOCK_PI of a held lock gives EAGAIN, of a free one takes it") {
  struct thread *thread = start_thread(lock_and_hold, 0);
  wait_until(shared->words[0], "the other has it");
  expect_error(EAGAIN, futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, 0, 0, 0));
  shared->words[2] = 1;
  join_thread(thread);
  expect_ok(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, 0, 0, 0));
  expect_value((unsigned)word & FUTEX_TID_MASK, sys_gettid(), "the owner");
}

CASE(times_out, "LOCK_PI waits until an absolute CLOCK_REALTIME time, LOCK_PI2 takes CLOCK_MONOTONIC: ETIMEDOUT") {
  struct thread *thread = start_thread(lock_and_hold, 0);
  wait_until(shared->words[0], "the other has it");
  long begin = now_us();
  struct timespec time = from_us(clock_us(CLOCK_REALTIME) + 20000);
  expect_error(ETIMEDOUT, futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, &time, 0, 0));
  long took = now_us() - begin;
  expect(took >= 19000 && took < 2000000, "it took %ld us", took);
  time = from_us(now_us() + 20000);
  begin = now_us();
  expect_error(ETIMEDOUT, futex(&word, FUTEX_LOCK_PI2_PRIVATE, 0, &time, 0, 0));
  took = now_us() - begin;
  expect(took >= 19000 && took < 2000000, "LOCK_PI2 took %ld us", took);
  shared->words[2] = 1;
  join_thread(thread);
}

CASE(dead_owner, "a PI lock whose owner ends without unlocking and without a robust list leaves its waiter with ESRCH or the lock") {
  /* The waiter's queue entry makes the kernel hand the lock over at the owner's exit, with FUTEX_OWNER_DIED in the word. */
  struct thread *owner = start_thread(lock_and_hold, 0);
  wait_until(shared->words[0], "the other has it");
  shared->words[2] = 0;
  struct thread *waiter = start_thread(lock_and_hold, 0);
  wait_until_asleep(waiter->number);
  shared->words[1] = 99;
  shared->words[2] = 2;
  join_thread(owner), join_thread(waiter);
  expect_value(shared->words[1], 0, "the waiter's result");
  expect(((unsigned)word & FUTEX_OWNER_DIED) != 0, "the word is 0x%x", (unsigned)word);
}

/* --- condition variables -------------------------------------------------------------------------------------------- */

static int wait_for_condition(void *unused) {
  (void)unused;
  long result = futex(&condition, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, 0, &word, 0);
  __atomic_fetch_add((int *)&shared->words[result == 0 ? 0 : 1], 1, __ATOMIC_SEQ_CST);
  futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, 0, 0);
  return 0;
}

CASE(requeue_pi, "CMP_REQUEUE_PI gives the lock to one waiter of the condition and lets the others queue for it") {
  struct thread *threads[3];
  for (int i = 0; i < 3; i++) threads[i] = start_thread(wait_for_condition, 0);
  for (int i = 0; i < 3; i++) wait_until_asleep(threads[i]->number);
  expect_value(futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10, &word, 0), 3, "woken and moved");
  for (int i = 0; i < 3; i++) join_thread(threads[i]);
  expect_value(shared->words[0], 3, "waiters that got the lock");
}

CASE(requeue_pi_held, "CMP_REQUEUE_PI to a lock somebody holds wakes nobody before the unlock") {
  expect_ok(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, 0, 0, 0));
  struct thread *thread = start_thread(wait_for_condition, 0);
  wait_until_asleep(thread->number);
  expect_value(futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)0, &word, 0), 1, "moved");
  sleep_us(2000);
  expect_value(shared->words[0], 0, "waiters that are back");
  expect_ok(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, 0, 0));
  join_thread(thread);
  expect_value(shared->words[0], 1, "waiters that got the lock");
}

CASE(requeue_pi_errors, "CMP_REQUEUE_PI must wake exactly one: EINVAL; and another value gives EAGAIN") {
  expect_error(EINVAL, futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, (void *)1, &word, 0));
  expect_error(EINVAL, futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 0, (void *)1, &word, 0));
  expect_error(EAGAIN, futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &word, 7));
  expect_error(EINVAL, futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &condition, 0));
  expect_error(EINVAL, futex(&condition, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, 0, &condition, 0));
}

/* --- futex_waitv ---------------------------------------------------------------------------------------------------- */

static volatile int words[4];
static long waitv(struct futex_waitv *waiters, unsigned count, unsigned flags, struct timespec *time, int clock) {
  return SYS5(futex_waitv, waiters, count, flags, time, clock);
}
static void fill(struct futex_waitv *waiters, int count) {
  for (int i = 0; i < count; i++)
    waiters[i] = (struct futex_waitv){0, (uint64_t)&words[i], FUTEX2_SIZE_U32 | FUTEX2_PRIVATE, 0};
}

static int wait_for_many(void *unused) {
  (void)unused;
  struct futex_waitv waiters[4];
  fill(waiters, 4);
  shared->words[0] = (int)waitv(waiters, 4, 0, 0, 0) + 1;
  return 0;
}

CASE(waitv_index, "futex_waitv gives the index of the word that was woken") {
  for (int i = 0; i < 4; i += 3) {
    struct thread *thread = start_thread(wait_for_many, 0);
    wait_until_asleep(thread->number);
    expect_value(futex(&words[i], FUTEX_WAKE_PRIVATE, 1, 0, 0, 0), 1, "wake");
    join_thread(thread);
    expect_value(shared->words[0] - 1, i, "the index");
  }
}

CASE(waitv_value, "futex_waitv gives EAGAIN when one word has another value") {
  struct futex_waitv waiters[4];
  fill(waiters, 4);
  words[2] = 1;
  expect_error(EAGAIN, waitv(waiters, 4, 0, 0, 0));
}

CASE(waitv_timeout, "futex_waitv takes an absolute time of CLOCK_MONOTONIC or CLOCK_REALTIME: ETIMEDOUT") {
  struct futex_waitv waiters[4];
  fill(waiters, 4);
  long begin = now_us();
  struct timespec time = from_us(now_us() + 20000);
  expect_error(ETIMEDOUT, waitv(waiters, 4, 0, &time, CLOCK_MONOTONIC));
  expect(now_us() - begin >= 20000, "it took %ld us", now_us() - begin);
  time = from_us(clock_us(CLOCK_REALTIME) + 10000);
  expect_error(ETIMEDOUT, waitv(waiters, 4, 0, &time, CLOCK_REALTIME));
}

CASE(waitv_errors, "futex_waitv refuses no words, too many, unknown flags, reserved bits and other clocks with EINVAL") {
  static struct futex_waitv many[129];
  struct futex_waitv waiters[4];
  struct timespec time = {0, 0};
  fill(waiters, 4);
  for (int i = 0; i < 129; i++) many[i] = (struct futex_waitv){0, (uint64_t)&words[0], FUTEX2_SIZE_U32, 0};
  expect_error(EINVAL, waitv(waiters, 0, 0, 0, 0));
  expect_error(EINVAL, waitv(many, 129, 0, 0, 0));
  expect_error(EINVAL, waitv(waiters, 4, 1, 0, 0));
  expect_error(EINVAL, waitv(0, 4, 0, 0, 0));
  expect_error(EINVAL, waitv(waiters, 4, 0, &time, CLOCK_BOOTTIME));
  expect_error(EFAULT, waitv((struct futex_waitv *)8, 4, 0, 0, 0));
  waiters[1].reserved = 1;
  expect_error(EINVAL, waitv(waiters, 4, 0, 0, 0));
  waiters[1].reserved = 0, waiters[1].flags = 0x1000;
  expect_error(EINVAL, waitv(waiters, 4, 0, 0, 0));
  waiters[1].flags = FUTEX2_SIZE_U32 | FUTEX2_PRIVATE, waiters[1].uaddr = 2;
  expect_error(EINVAL, waitv(waiters, 4, 0, 0, 0));
}

MAIN("futex.pi")
