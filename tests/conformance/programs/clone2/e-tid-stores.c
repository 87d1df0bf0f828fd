/* Section E: the kernel writes thread ids to memory that the call names. */
#include "call.h"

static volatile int *low_word(void) { return (volatile int *)low_memory(PAGE_SIZE); }
static uint32_t low_address(volatile void *pointer) { return (uint32_t)(unsigned long)pointer; }

static volatile int *seen_by_child; /* the word the function below looks at */

static int note_word(void *to, unsigned long rsp) {
  (void)rsp;
  *(volatile int *)to = *seen_by_child;
  return 0;
}

/* A request for a child on its own stack in shared memory. */
static struct clone_struct sharing(unsigned long flags) {
  struct clone_struct how = plain(flags | CLONE_VM);
  how.child_stack = (uint64_t)new_stack();
  return how;
}

static void parent_word_is_set(long unused) {
  (void)unused;
  volatile int *word = low_word(), noted = 0;
  struct clone_struct how = plain(CLONE_PARENT_SETTID);
  how.parent_tid = low_address(word);
  long pid = start(&how, 0);
  if (pid == 0) sys_exit_group(0);
  expect_value(*word, expect_created(pid), "the word at return");
  reap_good(pid);

  *word = 0;
  seen_by_child = word;
  how = sharing(CLONE_PARENT_SETTID);
  how.parent_tid = low_address(word);
  pid = expect_created(start_function(&how, 0, note_word, (void *)&noted));
  expect_value(*word, pid, "the word at return, with VM");
  reap_good(pid);
  expect_value(noted, pid, "the word when the child first ran");
}

static void parent_store_may_fault(long unused) {
  (void)unused;
  char *page = low_memory(2 * PAGE_SIZE);
  struct clone_struct how = plain(CLONE_PARENT_SETTID);
  *(int *)page = -7;
  SYS3(mprotect, page, PAGE_SIZE, PROT_READ);
  sys_munmap(page + PAGE_SIZE, PAGE_SIZE);
  how.parent_tid = low_address(page);
  expect_created(start_and_report(&how, 0, &shared->facts[0]));
  expect_value(*(int *)page, -7, "the read-only word");
  how.parent_tid = low_address(page + PAGE_SIZE);
  expect_created(start_and_report(&how, 0, &shared->facts[0]));
}

static void parent_store_is_after_the_copy(long unused) {
  (void)unused;
  volatile int *word = low_word();
  struct clone_struct how = plain(CLONE_PARENT_SETTID);
  *word = -7;
  how.parent_tid = low_address(word);
  long pid = start(&how, 0);
  if (pid == 0) {
    expect_value(*word, -7, "the child's copy of the word");
    sys_exit_group(0);
  }
  reap_good(expect_created(pid));
  expect_value(*word, pid, "the parent's word");
}

static void child_word_is_set_in_the_copy(long unused) {
  (void)unused;
  volatile int *word = low_word();
  struct clone_struct how = plain(CLONE_CHILD_SETTID);
  *word = -7;
  how.child_tid = low_address(word);
  long pid = start(&how, 0);
  if (pid == 0) {
    expect_value(*word, sys_gettid(), "the child's word");
    sys_exit_group(0);
  }
  reap_good(expect_created(pid));
  expect_value(*word, -7, "the parent's word");
}

static void child_word_is_set_in_shared_memory(long unused) {
  (void)unused;
  volatile int *word = low_word(), noted = 0;
  struct clone_struct how = sharing(CLONE_CHILD_SETTID);
  seen_by_child = word;
  how.child_tid = low_address(word);
  long pid = expect_created(start_function(&how, 0, note_word, (void *)&noted));
  reap_good(pid);
  expect_value(noted, pid, "the word when the child first ran");
  expect_value(*word, pid, "the word afterwards");
}

static void each_word_is_in_its_own_namespace(long unused) {
  (void)unused;
  volatile int *words = low_word();
  struct clone_struct how = plain(CLONE_CHILD_SETTID | CLONE_PARENT_SETTID | CLONE_NEWPID);
  how.parent_tid = low_address(&words[0]);
  how.child_tid = low_address(&words[1]);
  long pid = start(&how, 0);
  if (pid == 0) {
    expect_value(words[1], 1, "the child's word");
    sys_exit_group(0);
  }
  reap_good(expect_created(pid));
  expect_value(words[0], pid, "the parent's word");
}

static void child_store_may_fault(long unused) {
  (void)unused;
  char *page = low_memory(PAGE_SIZE);
  struct clone_struct how = plain(CLONE_CHILD_SETTID);
  sys_munmap(page, PAGE_SIZE);
  how.child_tid = low_address(page);
  expect_created(start_and_report(&how, 0, &shared->facts[0]));
}

static int sleep_a_little(void *unused, unsigned long rsp) {
  (void)unused, (void)rsp;
  sleep_us(20000);
  return 0;
}

static void end_clears_the_word_and_wakes(long unused) {
  (void)unused;
  volatile int *word = low_word();
  struct clone_struct how = sharing(CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_PARENT_SETTID);
  how.parent_tid = how.child_tid = low_address(word);
  long pid = expect_created(start_function(&how, 0, sleep_a_little, 0));
  struct timespec patience = {5, 0};
  for (int tid; (tid = *word) != 0;) {
    expect_value(tid, pid, "the word while the child lives");
    long result = sys_futex((int *)word, FUTEX_WAIT, tid, &patience);
    expect(result == 0 || result == -EAGAIN || result == -EINTR, "futex: %s", errno_name(result));
  }
  reap_good(pid);
}

static void end_clears_only_shared_memory(long unused) {
  (void)unused;
  volatile int *word = low_word();
  struct clone_struct how = plain(CLONE_CHILD_CLEARTID);
  *word = -7;
  how.child_tid = low_address(word);
  expect_created(start_and_report(&how, 0, &shared->facts[0]));
  expect_value(*word, -7, "the parent's word");
}

/* The last page below 4 GiB and the first one above: an address of 32 bits is extended with zeros, and a word that begins in
 * the one goes on in the other. */
static void tid_pointers_are_unsigned(long unused) {
  (void)unused;
  char *page = (char *)0xfffff000UL;
  long got = sys_mmap(page, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  expect_value(got, page, "mmap at 0xfffff000");
  static const uint32_t addresses[] = {0xfffffffc, 0xfffffffe};
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    struct clone_struct how = plain(CLONE_PARENT_SETTID);
    int word = 0;
    how.parent_tid = addresses[i];
    long pid = expect_created(start_and_report(&how, 0, &shared->facts[0]));
    memcpy(&word, (char *)(unsigned long)addresses[i], sizeof word);
    expect_value(word, pid, "the word near 4 GiB");
  }
}

static const struct test_case cases[] = {
    {99, SHARED, CALL " with PARENT_SETTID stores the child's tid before it returns and before the child runs", parent_word_is_set, 0},
    {100, SHARED, CALL " with PARENT_SETTID succeeds although parent_tid is read-only or unmapped", parent_store_may_fault, 0},
    {101, SHARED, CALL " with PARENT_SETTID and without VM leaves the child's copy of the word as it was", parent_store_is_after_the_copy, 0},
    {102, SHARED, CALL " with CHILD_SETTID and without VM sets the word in the child only", child_word_is_set_in_the_copy, 0},
    {103, SHARED, CALL " with CHILD_SETTID and VM sets the shared word before the child runs", child_word_is_set_in_shared_memory, 0},
    {104, SHARED, CALL " with NEWPID stores 1 for the child and the caller's view for the parent", each_word_is_in_its_own_namespace, 0},
    {105, SHARED, CALL " with CHILD_SETTID to an unmapped address lets the child run normally", child_store_may_fault, 0},
    {106, SHARED, CALL " with CHILD_CLEARTID and VM clears the word at exit and wakes a futex waiter", end_clears_the_word_and_wakes, 0},
    {107, SHARED, CALL " with CHILD_CLEARTID and without VM leaves the parent's word as it was", end_clears_only_shared_memory, 0},
    {108, SHARED, CALL " extends parent_tid with zeros up to the last byte below 4 GiB", tid_pointers_are_unsigned, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C7", THROUGH_SUITE, SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
