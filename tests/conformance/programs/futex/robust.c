/* Robust futexes: what the kernel does with the locks of a thread that dies (set_robust_list(2)). */
#include "threads.h"

struct lock {
  struct robust_list link;
  volatile int word;
};
enum { OFFSET = offsetof(struct lock, word) };

/* In memory that a dying child shares with us. */
struct robust_memory {
  struct robust_list_head head;
  struct lock locks[4];
};
static struct robust_memory *memory;

static void make_memory(void) {
  memory = (struct robust_memory *)expect_ok(sys_mmap(0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}
static void begin_list(void) {
  memory->head.list.next = &memory->head.list;
  memory->head.futex_offset = OFFSET;
  memory->head.list_op_pending = 0;
  expect_ok(SYS2(set_robust_list, &memory->head, sizeof memory->head));
}
static void hold(struct lock *lock) {
  lock->word = (int)sys_gettid();
  lock->link.next = memory->head.list.next;
  memory->head.list.next = &lock->link;
}

CASE(get_back, "get_robust_list gives what set_robust_list has set, of oneself and of a child") {
  void *head = 0;
  size_t size = 0;
  make_memory();
  begin_list();
  expect_ok(SYS3(get_robust_list, 0, &head, &size));
  expect_value(head, memory, "the head");
  expect_value(size, sizeof(struct robust_list_head), "the size");
  struct held held = hold_fork();
  expect_ok(SYS3(get_robust_list, held.pid, &head, &size));
  expect_value(head, 0, "the head of a new child");
  release(&held);
}

CASE(errors, "set_robust_list refuses another size with EINVAL; get_robust_list says ESRCH for nobody, EFAULT for bad pointers") {
  make_memory();
  size_t size;
  expect_error(EINVAL, SYS2(set_robust_list, &memory->head, 23));
  expect_error(EINVAL, SYS2(set_robust_list, &memory->head, 0));
  expect_error(ESRCH, SYS3(get_robust_list, free_pid(), &memory, &size));
  expect_error(EFAULT, SYS3(get_robust_list, 0, 8, &size));
}

CASE(foreign, "another user's robust list is not to be seen: EPERM") {
  struct held held = hold_fork();
  void *head;
  size_t size;
  AS_UNPRIVILEGED expect_error(EPERM, SYS3(get_robust_list, held.pid, &head, &size));
  release(&held);
}

CASE(owner_died, "a lock held at exit gets FUTEX_OWNER_DIED and loses its owner") {
  make_memory();
  IN_CHILD {
    begin_list();
    hold(&memory->locks[0]);
    hold(&memory->locks[1]);
  }
  for (int i = 0; i < 2; i++) expect_value((unsigned)memory->locks[i].word, FUTEX_OWNER_DIED, "the word");
}

CASE(owner_killed, "a lock held by a process that is killed gets FUTEX_OWNER_DIED too") {
  make_memory();
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    begin_list();
    hold(&memory->locks[0]);
    sys_kill(sys_getpid(), SIGKILL);
  }
  reap(pid);
  expect_value((unsigned)memory->locks[0].word, FUTEX_OWNER_DIED, "the word");
}

CASE(waiters_woken, "FUTEX_WAITERS stays in the word and one waiter is woken") {
  make_memory();
  int ends[2];
  sys_pipe(ends);
  long owner = expect_ok(sys_fork());
  if (owner == 0) {
    begin_list();
    hold(&memory->locks[0]);
    memory->locks[0].word |= (int)FUTEX_WAITERS;
    shared->words[0] = memory->locks[0].word;
    wait_for_release(ends[0]);
  }
  wait_until(shared->words[0], "the lock is held");
  long waiter = expect_ok(sys_fork());
  if (waiter == 0) sys_exit_group(sys_futex((int *)&memory->locks[0].word, FUTEX_WAIT, shared->words[0], 0) == 0 ? 0 : 1);
  wait_until_asleep(waiter);
  sys_write(ends[1], "", 1);
  reap_good(owner);
  reap_good(waiter);
  expect_value((unsigned)memory->locks[0].word, FUTEX_OWNER_DIED | FUTEX_WAITERS, "the word");
}

CASE(not_the_owner, "a listed lock that belongs to somebody else is left alone") {
  make_memory();
  IN_CHILD {
    begin_list();
    hold(&memory->locks[0]);
    memory->locks[0].word = 1;
  }
  expect_value(memory->locks[0].word, 1, "the word");
}

CASE(pending_operation, "a lock named in list_op_pending counts even when it is not in the list") {
  make_memory();
  IN_CHILD {
    begin_list();
    memory->locks[2].word = (int)sys_gettid();
    memory->head.list_op_pending = &memory->locks[2].link;
  }
  expect_value((unsigned)memory->locks[2].word, FUTEX_OWNER_DIED, "the word");
}

CASE(broken_list, "a list that leads nowhere or in a circle does no harm") {
  make_memory();
  IN_CHILD {
    begin_list();
    hold(&memory->locks[0]);
    memory->locks[0].link.next = (struct robust_list *)8;
  }
  expect_value((unsigned)memory->locks[0].word, FUTEX_OWNER_DIED, "the word before the bad link");
  IN_CHILD {
    begin_list();
    hold(&memory->locks[0]);
    memory->locks[0].link.next = &memory->locks[0].link;
  }
  expect_value((unsigned)memory->locks[0].word, FUTEX_OWNER_DIED, "the word in a circle");
}

static int die_with_lock(void *unused) {
  (void)unused;
  begin_list();
  hold(&memory->locks[0]);
  return 0;
}
CASE(thread_dies, "a thread's end counts, not only a process's") {
  make_memory();
  struct thread *thread = start_thread(die_with_lock, 0);
  join_thread(thread);
  expect_value((unsigned)memory->locks[0].word, FUTEX_OWNER_DIED, "the word");
}

CASE(exec_releases, "execve ends the robust list: locks held then get FUTEX_OWNER_DIED") {
  make_memory();
  IN_CHILD {
    begin_list();
    hold(&memory->locks[0]);
    char *arguments[] = {"robust", "999999", 0}; /* no such case: it only says so */
    sys_close(1);
    expect_ok(SYS3(execve, "/proc/self/exe", arguments, 0));
  }
  expect_value((unsigned)memory->locks[0].word, FUTEX_OWNER_DIED, "the word");
}

MAIN("futex.robust")
