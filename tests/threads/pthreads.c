/* What a POSIX threads library asks of the kernel, one function a topic. Prints results only, which do not depend on who
 * runs when: the same natively and in the machine, with glibc and with musl. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(what) \
  do { \
    int code = (what); \
    if (code != 0) printf("line %d: %s gives %s\n", __LINE__, #what, strerror(code)), failures++; \
  } while (0)

enum { MANY = 300, FEW = 4, ROUNDS = 2000 };

static int failures;

static void *square(void *argument) { return (void *)((intptr_t)argument * (intptr_t)argument); }

static void create_and_join(void) {
  pthread_t threads[MANY];
  long sum = 0;
  for (int i = 0; i < MANY; i++) CHECK(pthread_create(&threads[i], 0, square, (void *)(intptr_t)i));
  for (int i = 0; i < MANY; i++) {
    void *result;
    CHECK(pthread_join(threads[i], &result));
    sum += (intptr_t)result;
  }
  printf("create and join: %ld\n", sum);
}

static atomic_int detached;

static void *count_detached(void *unused) {
  (void)unused;
  atomic_fetch_add(&detached, 1);
  return 0;
}

static void detach(void) {
  pthread_attr_t attributes;
  CHECK(pthread_attr_init(&attributes));
  CHECK(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED));
  CHECK(pthread_attr_setstacksize(&attributes, 65536));
  for (int i = 0; i < 50; i++) {
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, count_detached, 0));
  }
  while (atomic_load(&detached) < 50) sched_yield();
  printf("detached: %d\n", atomic_load(&detached));
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long guarded;

static void *add_guarded(void *given) {
  pthread_mutex_t *lock = given;
  for (int i = 0; i < ROUNDS; i++) {
    pthread_mutex_lock(lock);
    long seen = guarded;
    if (i % 50 == 0) sched_yield();
    guarded = seen + 1;
    pthread_mutex_unlock(lock);
  }
  return 0;
}

static void contend(const char *name, pthread_mutex_t *lock) {
  pthread_t threads[FEW];
  guarded = 0;
  for (int i = 0; i < FEW; i++) CHECK(pthread_create(&threads[i], 0, add_guarded, lock));
  for (int i = 0; i < FEW; i++) CHECK(pthread_join(threads[i], 0));
  printf("%s: %ld\n", name, guarded);
}

static void mutexes(void) {
  contend("mutex contention", &mutex);
  pthread_mutexattr_t attributes;
  pthread_mutex_t other;
  pthread_mutexattr_init(&attributes);
  CHECK(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK));
  CHECK(pthread_mutex_init(&other, &attributes));
  CHECK(pthread_mutex_lock(&other));
  printf("locked twice: %s\n", pthread_mutex_lock(&other) == EDEADLK ? "EDEADLK" : "?");
  CHECK(pthread_mutex_unlock(&other));
  CHECK(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE));
  CHECK(pthread_mutex_init(&other, &attributes));
  contend("recursive mutex contention", &other);
  CHECK(pthread_mutex_lock(&mutex));
  struct timespec soon;
  clock_gettime(CLOCK_REALTIME, &soon);
  soon.tv_nsec += 2000000;
  if (soon.tv_nsec >= 1000000000) soon.tv_nsec -= 1000000000, soon.tv_sec++;
  printf("timed lock: %s\n", pthread_mutex_timedlock(&mutex, &soon) == ETIMEDOUT ? "ETIMEDOUT" : "?");
  CHECK(pthread_mutex_unlock(&mutex));
}

static void pi_mutexes(void) {
  pthread_mutexattr_t attributes;
  pthread_mutex_t lock;
  pthread_mutexattr_init(&attributes);
  CHECK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
  CHECK(pthread_mutex_init(&lock, &attributes));
  contend("priority-inheritance mutex contention", &lock);
  printf("free again: %d\n", pthread_mutex_trylock(&lock));
  CHECK(pthread_mutex_unlock(&lock));
}

static void *lock_and_leave(void *lock) {
  pthread_mutex_lock(lock);
  return 0;
}

static void robust(const char *name, int protocol) {
  pthread_mutexattr_t attributes;
  pthread_mutex_t *lock = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_init(&attributes);
  CHECK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
  CHECK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
  CHECK(pthread_mutexattr_setprotocol(&attributes, protocol));
  CHECK(pthread_mutex_init(lock, &attributes));
  pthread_t thread;
  CHECK(pthread_create(&thread, 0, lock_and_leave, lock));
  CHECK(pthread_join(thread, 0));
  int after_thread = pthread_mutex_lock(lock);
  CHECK(pthread_mutex_consistent(lock));
  CHECK(pthread_mutex_unlock(lock));
  pid_t child = fork();
  if (child == 0) {
    pthread_mutex_lock(lock);
    _exit(0);
  }
  waitpid(child, 0, 0);
  int after_process = pthread_mutex_lock(lock);
  CHECK(pthread_mutex_consistent(lock));
  CHECK(pthread_mutex_unlock(lock));
  int again = pthread_mutex_lock(lock);
  CHECK(pthread_mutex_unlock(lock));
  printf("%s: after a thread %s, after a process %s, then %d\n", name, strerror(after_thread), strerror(after_process),
         again);
  munmap(lock, 4096);
}

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int queue[16], queued, taken_sum;

static void *produce(void *unused) {
  (void)unused;
  for (int i = 1; i <= 500; i++) {
    pthread_mutex_lock(&mutex);
    while (queued == 16) pthread_cond_wait(&changed, &mutex);
    queue[queued++] = i;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}

static void *consume(void *unused) {
  (void)unused;
  for (int i = 1; i <= 500; i++) {
    pthread_mutex_lock(&mutex);
    while (queued == 0) pthread_cond_wait(&changed, &mutex);
    taken_sum += queue[--queued];
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}

static void conditions(void) {
  pthread_t threads[2 * FEW];
  for (int i = 0; i < 2 * FEW; i++) CHECK(pthread_create(&threads[i], 0, i % 2 ? produce : consume, 0));
  for (int i = 0; i < 2 * FEW; i++) CHECK(pthread_join(threads[i], 0));
  printf("conditions: %d left, sum %d\n", queued, taken_sum);
  pthread_condattr_t attributes;
  pthread_cond_t never;
  pthread_condattr_init(&attributes);
  CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
  CHECK(pthread_cond_init(&never, &attributes));
  struct timespec soon;
  clock_gettime(CLOCK_MONOTONIC, &soon);
  soon.tv_nsec += 3000000;
  if (soon.tv_nsec >= 1000000000) soon.tv_nsec -= 1000000000, soon.tv_sec++;
  pthread_mutex_lock(&mutex);
  int code = pthread_cond_timedwait(&never, &mutex, &soon);
  pthread_mutex_unlock(&mutex);
  printf("timed wait: %s\n", code == ETIMEDOUT ? "ETIMEDOUT" : "?");
}

static pthread_barrier_t barrier;
static atomic_int serial, phase_total;

static void *meet(void *unused) {
  (void)unused;
  for (int round = 0; round < 50; round++) {
    atomic_fetch_add(&phase_total, 1);
    if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) atomic_fetch_add(&serial, 1);
    if (atomic_load(&phase_total) < (round + 1) * 8) printf("the barrier let somebody through\n");
    pthread_barrier_wait(&barrier);
  }
  return 0;
}

static void barriers(void) {
  pthread_t threads[8];
  CHECK(pthread_barrier_init(&barrier, 0, 8));
  for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], 0, meet, 0));
  for (int i = 0; i < 8; i++) CHECK(pthread_join(threads[i], 0));
  CHECK(pthread_barrier_destroy(&barrier));
  printf("barriers: %d arrivals, %d rounds\n", atomic_load(&phase_total), atomic_load(&serial));
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long left_value, right_value, torn;

static void *read_or_write(void *writes) {
  for (int i = 0; i < 500; i++) {
    if (writes) {
      pthread_rwlock_wrlock(&rwlock);
      left_value++;
      if (i % 20 == 0) sched_yield();
      right_value++;
      pthread_rwlock_unlock(&rwlock);
    } else {
      pthread_rwlock_rdlock(&rwlock);
      if (left_value != right_value) torn++;
      pthread_rwlock_unlock(&rwlock);
    }
  }
  return 0;
}

static void rwlocks(void) {
  pthread_t threads[6];
  for (int i = 0; i < 6; i++) CHECK(pthread_create(&threads[i], 0, read_or_write, i < 2 ? &rwlock : 0));
  for (int i = 0; i < 6; i++) CHECK(pthread_join(threads[i], 0));
  printf("read-write lock: %ld writes, %ld torn reads\n", left_value, torn);
}

static sem_t empty, full;
static int box;
static long received;

static void *send_all(void *unused) {
  (void)unused;
  for (int i = 1; i <= 400; i++) {
    sem_wait(&empty);
    box = i;
    sem_post(&full);
  }
  return 0;
}

static void semaphores(void) {
  pthread_t thread;
  sem_init(&empty, 0, 1);
  sem_init(&full, 0, 0);
  CHECK(pthread_create(&thread, 0, send_all, 0));
  for (int i = 1; i <= 400; i++) {
    sem_wait(&full);
    received += box;
    sem_post(&empty);
  }
  CHECK(pthread_join(thread, 0));
  sem_t *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  sem_init(shared, 1, 0);
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 10; i++) sem_post(shared);
    _exit(0);
  }
  for (int i = 0; i < 10; i++) sem_wait(shared);
  waitpid(child, 0, 0);
  int value;
  sem_getvalue(shared, &value);
  printf("semaphores: sum %ld, shared with a process %d\n", received, value);
}

static __thread int own = 7;
static __thread char own_text[32] = "of the thread";
static pthread_key_t key;
static atomic_int destroyed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int initialised;

static void destroy(void *value) { atomic_fetch_add(&destroyed, (int)(intptr_t)value); }
static void initialise(void) { atomic_fetch_add(&initialised, 1); }

static void *use_own(void *argument) {
  pthread_once(&once, initialise);
  own += (int)(intptr_t)argument;
  snprintf(own_text, sizeof own_text, "%d", own);
  pthread_setspecific(key, (void *)(intptr_t)own);
  sched_yield();
  return (void *)(intptr_t)(atoi(own_text) + (int)(intptr_t)pthread_getspecific(key));
}

static void thread_local_storage(void) {
  pthread_t threads[20];
  intptr_t sum = 0;
  CHECK(pthread_key_create(&key, destroy));
  for (int i = 0; i < 20; i++) CHECK(pthread_create(&threads[i], 0, use_own, (void *)(intptr_t)i));
  for (int i = 0; i < 20; i++) {
    void *result;
    CHECK(pthread_join(threads[i], &result));
    sum += (intptr_t)result;
  }
  printf("thread-local: sum %ld, main's own %d %s, destroyed %d, initialised %d\n", (long)sum, own, own_text,
         atomic_load(&destroyed), atomic_load(&initialised));
}

static atomic_int cleaned;

static void clean(void *amount) { atomic_fetch_add(&cleaned, (int)(intptr_t)amount); }

static void *sleep_until_cancelled(void *unused) {
  (void)unused;
  pthread_cleanup_push(clean, (void *)1);
  for (;;) sleep(100);
  pthread_cleanup_pop(0);
  return 0;
}

static void unlock_mutex(void *unused) {
  (void)unused;
  pthread_mutex_unlock(&mutex);
}

static void *wait_until_cancelled(void *unused) {
  (void)unused;
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push(unlock_mutex, 0);
  pthread_cleanup_push(clean, (void *)10);
  for (;;) pthread_cond_wait(&changed, &mutex);
  pthread_cleanup_pop(0);
  pthread_cleanup_pop(0);
  return 0;
}

static void *spin_until_cancelled(void *unused) {
  (void)unused;
  int old;
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
  for (;;) {
  }
  return 0;
}

static void *refuse_for_a_while(void *ready) {
  int old;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
  sem_post(ready);
  sem_wait((sem_t *)ready + 1);
  clean((void *)100);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
  pthread_testcancel();
  return 0;
}

static void cancel(void) {
  void *(*const bodies[])(void *) = {sleep_until_cancelled, wait_until_cancelled, spin_until_cancelled};
  int cancelled = 0;
  void *result;
  pthread_t thread;
  for (int i = 0; i < 3; i++) {
    CHECK(pthread_create(&thread, 0, bodies[i], 0));
    usleep(2000);
    CHECK(pthread_cancel(thread));
    CHECK(pthread_join(thread, &result));
    cancelled += result == PTHREAD_CANCELED;
  }
  sem_t gates[2];
  sem_init(&gates[0], 0, 0);
  sem_init(&gates[1], 0, 0);
  CHECK(pthread_create(&thread, 0, refuse_for_a_while, gates));
  sem_wait(&gates[0]);
  CHECK(pthread_cancel(thread));
  sem_post(&gates[1]);
  CHECK(pthread_join(thread, &result));
  cancelled += result == PTHREAD_CANCELED;
  printf("cancelled: %d, cleaned up %d, mutex free %d\n", cancelled, atomic_load(&cleaned), pthread_mutex_trylock(&mutex));
  pthread_mutex_unlock(&mutex);
}

static atomic_int handled_by_thread, handled_elsewhere;
static pthread_t expected;

static void handle(int signal) {
  (void)signal;
  if (pthread_equal(pthread_self(), expected)) atomic_fetch_add(&handled_by_thread, 1);
  else atomic_fetch_add(&handled_elsewhere, 1);
}

static void *take_signals(void *unused) {
  (void)unused;
  while (atomic_load(&handled_by_thread) < 20) sched_yield();
  return 0;
}

static void *await_signal(void *unused) {
  (void)unused;
  sigset_t set;
  int signal;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigwait(&set, &signal);
  return (void *)(intptr_t)(signal == SIGUSR2);
}

static void directed_signals(void) {
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, 0);
  CHECK(pthread_create(&expected, 0, take_signals, 0));
  for (int i = 0; i < 20; i++) {
    int before = atomic_load(&handled_by_thread);
    CHECK(pthread_kill(expected, SIGUSR1));
    while (atomic_load(&handled_by_thread) == before) sched_yield();
  }
  CHECK(pthread_join(expected, 0));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  CHECK(pthread_sigmask(SIG_BLOCK, &set, 0));
  pthread_t waiter;
  void *result;
  CHECK(pthread_create(&waiter, 0, await_signal, 0));
  kill(getpid(), SIGUSR2);
  CHECK(pthread_join(waiter, &result));
  printf("signals: %d by the thread, %d elsewhere, sigwait %ld\n", atomic_load(&handled_by_thread),
         atomic_load(&handled_elsewhere), (long)(intptr_t)result);
}

static void *exit_after_main(void *unused) {
  (void)unused;
  usleep(3000);
  exit(21);
}

static void *call_execve(void *path) {
  char *arguments[] = {path, "again", 0};
  execv(path, arguments);
  return 0;
}

static void *fork_here(void *unused) {
  (void)unused;
  pid_t child = fork();
  if (child == 0) _exit(getpid() == syscall(SYS_gettid) ? 5 : 6);
  int status;
  waitpid(child, &status, 0);
  return (void *)(intptr_t)WEXITSTATUS(status);
}

static int child_status(void (*body)(char *), char *argument) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    body(argument);
    _exit(99);
  }
  int status;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void leave_main(char *unused) {
  (void)unused;
  pthread_t thread;
  pthread_create(&thread, 0, exit_after_main, 0);
  pthread_exit(0);
}

static void exec_in_thread(char *path) {
  pthread_t thread, other;
  pthread_create(&other, 0, sleep_until_cancelled, 0);
  pthread_create(&thread, 0, call_execve, path);
  pthread_join(thread, 0);
}

static void die_in_thread(char *unused) {
  (void)unused;
  pthread_t thread;
  pthread_create(&thread, 0, (void *(*)(void *))abort, 0);
  pause();
}

static void ends(char *path) {
  pthread_t thread;
  void *result;
  CHECK(pthread_create(&thread, 0, fork_here, 0));
  CHECK(pthread_join(thread, &result));
  printf("fork in a thread: %ld\n", (long)(intptr_t)result);
  printf("exit after main has left: %d\n", child_status(leave_main, 0));
  printf("execve in a thread: %d\n", child_status(exec_in_thread, path));
  printf("abort in a thread: %d\n", child_status(die_in_thread, 0));
}

int main(int argc, char **argv) {
  if (argc > 1) return getpid() == syscall(SYS_gettid) ? 33 : 34;
  setvbuf(stdout, 0, _IOLBF, 0);
  create_and_join();
  detach();
  mutexes();
  pi_mutexes();
  robust("robust mutex", PTHREAD_PRIO_NONE);
  robust("robust priority-inheritance mutex", PTHREAD_PRIO_INHERIT);
  conditions();
  barriers();
  rwlocks();
  semaphores();
  thread_local_storage();
  cancel();
  directed_signals();
  ends(argv[0]);
  printf("failures: %d\n", failures);
  return failures == 0 ? 0 : 1;
}
