/* Section F, first part: where the structure and the list may lie. (Cases 125 to 135 are in f-order-and-races.c.) */
#include "call.h"

/* The structure as bytes, so that it can be put anywhere: clone2's is 40 bytes long, clone3's 88. A zeroed one is a valid
 * request for a child without an exit signal. */
#if THROUGH
enum { RECORD = 88 };
#else
enum { RECORD = 40 };
#endif

static void put_record(char *at) {
#if THROUGH
  struct clone_args record = {.exit_signal = SIGCHLD};
#else
  struct clone_struct record = {.flags = SIGCHLD};
#endif
  _Static_assert(sizeof record == RECORD, "RECORD is the structure's size");
  memcpy(at, &record, RECORD);
}

static long start_record(const void *record) {
  struct call call = {.number = THROUGH ? __NR_clone3 : __NR_clone2, .rdi = (long)record, .rsi = THROUGH ? RECORD : 0};
  return do_call(&call);
}

static void accepts_record(const char *record) {
  long pid = start_record(record);
  if (pid == 0) sys_exit_group(0);
  reap_good(expect_created(pid));
}

static void refuses_record(long address) { expect_refused(EFAULT, start_record((void *)address)); }

static void refuses_a_record_that_wraps(long unused) {
  (void)unused;
  refuses_record(-1);
  refuses_record(-RECORD);
}

static void accepts_a_record_before_a_hole(long unused) {
  (void)unused;
  char *record = guard(1) - RECORD;
  put_record(record);
  accepts_record(record);
}

static void refuses_a_record_reaching_into_a_hole(long unused) {
  (void)unused;
  char *end = guard(1);
  refuses_record((long)end - (RECORD - 1));
  refuses_record((long)end - 1);
  refuses_record((long)end - 8);
}

static void accepts_a_record_across_pages(long unused) {
  (void)unused;
  char *border = guard(2) - PAGE_SIZE;
  for (int before = 1; before < RECORD; before++) {
    put_record(border - before);
    accepts_record(border - before);
  }
}

static void accepts_an_odd_address(long unused) {
  (void)unused;
  char *record = guard(1) - 2001;
  put_record(record);
  accepts_record(record);
}

static void obeys_the_protection(long unused) {
  (void)unused;
  char *page = guard(1) - PAGE_SIZE, *fresh = guard(1) - PAGE_SIZE;
  put_record(page);
  SYS3(mprotect, page, PAGE_SIZE, PROT_READ);
  accepts_record(page);
  SYS3(mprotect, page, PAGE_SIZE, PROT_NONE);
  refuses_record((long)page);
  /* On x86 a page that can be written can be read. */
  SYS3(mprotect, page, PAGE_SIZE, PROT_WRITE);
  accepts_record(page);

  /* Never touched, so it is all zero: no flags, no exit signal. */
  long pid = start_record(fresh);
  if (pid == 0) sys_exit_group(0);
  expect_created(pid);
  wait_for_zombie(pid);
  expect_value(sys_wait4(pid, 0, 0), -ECHILD, "wait4 without __WALL for a child without exit signal");
  reap_good(pid);
}

static void refuses_a_record_behind_a_files_end(long unused) {
  (void)unused;
  long fd = SYS2(memfd_create, "short", 0);
  if (fd < 0) {
    fd = sys_open("/tmp/conformance-short-file", O_RDWR | O_CREAT, 0600);
    SYS1(unlink, "/tmp/conformance-short-file");
  }
  if (fd < 0) case_skips("no file to map");
  SYS2(ftruncate, fd, 100);
  long map = sys_mmap(0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, (int)fd, 0);
  expect(!is_error(map), "mmap of a file: %s", errno_name(map));
  put_record((char *)map);
  accepts_record((char *)map);
  refuses_record(map + (long)PAGE_SIZE);
  /* From the last mapped page of the file into the one behind its end. */
  refuses_record(map + (long)PAGE_SIZE - 8);
}

/* --- the list ------------------------------------------------------------------------------------------------------- */

static long choose_from(const int *pids) {
  struct clone_struct how = choosing(1);
  return start_and_report(&how, pids, &shared->facts[0]);
}

static void refuses_list(long address) { expect_refused(EFAULT, choose_from((const int *)address)); }

static void list_may_end_at_a_hole(long unused) {
  (void)unused;
  int *end = (int *)guard(1);
  end[-1] = free_pid();
  expect_value(choose_from(end - 1), end[-1], "the result");
  refuses_list((long)end - 3);
}

static void refuses_half_a_list(long unused) {
  (void)unused;
  IN_NEW_PID_NS(1) {
    int *last = (int *)guard(1) - 1;
    struct clone_struct how = choosing(2);
    *last = 0;
    expect_refused(EFAULT, start(&how, last));
  }
}

static void list_may_lie_in_the_structure(long unused) {
  (void)unused;
  struct clone_struct how = choosing(1);
  int chosen = free_pid();
  how.child_tid = (uint32_t)chosen;
  expect_value(start_and_report(&how, (const int *)&how.child_tid, &shared->facts[0]), chosen, "the result");
  /* nr_pids itself as the list: pid 1, which is taken. */
  expect_refused(EBUSY, start(&how, (const int *)&how.nr_pids));
}

static const struct test_case cases[] = {
    {109, SHARED, CALL " refuses a null structure pointer with EFAULT", refuses_record, 0},
    {110, SHARED, CALL " refuses structure pointer 1 with EFAULT", refuses_record, 1},
    {111, SHARED, CALL " refuses a non-canonical structure pointer with EFAULT", refuses_record, 0x800000000000},
    {112, SHARED, CALL " refuses a structure in the kernel's half with EFAULT", refuses_record, (long)0xffffffff81000000},
    {113, SHARED, CALL " refuses a structure that wraps around the address space with EFAULT", refuses_a_record_that_wraps, 0},
    {114, SHARED, CALL " accepts a structure that ends where the mapping ends", accepts_a_record_before_a_hole, 0},
    {115, SHARED, CALL " refuses a structure reaching into an unmapped page with EFAULT", refuses_a_record_reaching_into_a_hole, 0},
    {116, SHARED, CALL " accepts a structure across two pages at every offset", accepts_a_record_across_pages, 0},
    {117, SHARED, CALL " accepts a structure at an odd address", accepts_an_odd_address, 0},
    {118, SHARED, CALL " reads the structure from read-only, write-only and fresh pages, not from PROT_NONE", obeys_the_protection, 0},
    {119, SHARED, CALL " refuses a structure in a mapping beyond the end of its file with EFAULT, without SIGBUS", refuses_a_record_behind_a_files_end, 0},
    {120, 0, CALL " refuses a null list with EFAULT", refuses_list, 0},
    {121, 0, CALL " accepts a list that ends where the mapping ends and refuses one that goes on with EFAULT", list_may_end_at_a_hole, 0},
    {122, 0, CALL " refuses a list of which only the first entry is mapped with EFAULT", refuses_half_a_list, 0},
    {123, 0, CALL " refuses a list in the kernel's half with EFAULT", refuses_list, (long)0xffffffff81000000},
    {124, 0, CALL " accepts a list that lies inside the structure", list_may_lie_in_the_structure, 0},
};

int main(int argc, char **argv, char **envp) {
  static const struct suite suite = {.list = "C7", THROUGH_SUITE, SUITE_CASES(cases)};
  return tap_main(argc, argv, envp, &suite);
}
