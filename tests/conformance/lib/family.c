#include "family.h"
#include "proc.h"

/* --- processes ------------------------------------------------------------------------------------------------------ */

int reap(long pid) {
  int status = -1;
  long result;
  do result = sys_wait4(pid, &status, __WALL);
  while (result == -EINTR);
  expect_value(result, pid, "wait4");
  return status;
}

void reap_good(long pid) {
  int status = reap(pid);
  expect(status == 0, "child %ld ended with wait status 0x%x", pid, (unsigned)status);
}

void wait_for_zombie(long pid) {
  struct siginfo info = {0};
  long result = SYS5(waitid, P_PID, pid, &info, WEXITED | WNOWAIT | __WALL, 0);
  expect_value(result, 0, "waitid(WNOWAIT)");
}

int pid_exists(long pid) { return sys_kill(pid, 0) != -ESRCH; }

/* The number of the calling process in the namespace of the mounted /proc. */
static long own_number_in_proc(void) {
  char name[24] = {0};
  if (SYS3(readlink, "/proc/self", name, sizeof name - 1) <= 0) return -1;
  return parse_number(name);
}

/* Field 4 of /proc/PID/stat. The second field is the command in parentheses and may contain anything. */
static long parent_of(const char *pid) {
  char path[64], text[512];
  format(path, sizeof path, "/proc/%s/stat", pid);
  if (read_file(path, text, sizeof text) <= 0) return -1;
  const char *behind_command = 0;
  for (const char *byte = text; *byte; byte++)
    if (*byte == ')') behind_command = byte + 1;
  if (!behind_command || strlen(behind_command) < 4) return -1;
  return parse_number(behind_command + 3);
}

/* Calls `visit` with the name of every entry of a directory until it gives a negative value; gives the sum of the values. */
static long visit_directory(const char *path, long (*visit)(const char *name, long argument), long argument) {
  char buffer[2048];
  long sum = 0, got, fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  while ((got = SYS3(getdents64, fd, buffer, sizeof buffer)) > 0)
    for (long at = 0; at < got;) {
      struct dirent64 *entry = (struct dirent64 *)(buffer + at);
      sum += visit(entry->d_name, argument);
      at += entry->d_reclen;
    }
  sys_close((int)fd);
  return sum;
}

static int is_number(const char *name) { return *name >= '0' && *name <= '9'; }
static long visit_child(const char *name, long parent) { return is_number(name) && parent_of(name) == parent; }
static long visit_process(const char *name, long unused) { return (void)unused, is_number(name); }
static long visit_file(const char *name, long unused) { return (void)unused, is_number(name); }
static long visit_and_kill(const char *name, long parent) {
  if (is_number(name) && parent_of(name) == parent) sys_kill(parse_number(name), SIGKILL);
  return 0;
}

long count_children(void) {
  /* The usual answer without a look at all processes: wait knows when there is none. */
  struct siginfo info = {0};
  if (SYS5(waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, 0) == -ECHILD) return 0;
  return visit_directory("/proc", visit_child, own_number_in_proc());
}

void kill_children(void) { visit_directory("/proc", visit_and_kill, own_number_in_proc()); }
int count_processes(void) { return (int)visit_directory("/proc", visit_process, 0); }
/* The descriptor that reads the directory is in the list too, always. */
int count_open_files(void) { return (int)visit_directory("/proc/self/fd", visit_file, 0) - 1; }

int free_pid(void) {
  long pid = sys_fork();
  if (pid == 0) sys_exit_group(0);
  expect(pid > 0, "fork: %s", errno_name(pid));
  reap_good(pid);
  return (int)pid;
}

int far_free_pid(void) {
  int pid = free_pid() + 1000, limit = (int)read_number("/proc/sys/kernel/pid_max");
  if (pid >= limit - 1) pid = 600;
  while (pid_exists(pid)) pid++;
  return pid;
}

void report(struct facts *facts) {
  facts->tid = (int)sys_gettid();
  facts->ppid = (int)sys_getppid();
  facts->pgid = (int)SYS1(getpgid, 0);
  facts->sid = (int)SYS1(getsid, 0);
  facts->levels = (int)read_nspid("self", facts->nspid, sizeof facts->nspid / sizeof *facts->nspid);
  facts->pid = (int)sys_getpid();
}

const char *nspid_text(const struct facts *facts) {
  static char text[256];
  size_t length = 0;
  text[0] = 0;
  for (int i = 0; i < facts->levels; i++) length += format(text + length, sizeof text - length, "%s%d", i ? " " : "", facts->nspid[i]);
  return text;
}

void expect_nspid(int line, const struct facts *facts, const int *wanted, int count) {
  int good = facts->levels >= count;
  for (int i = 0; i < count && good; i++)
    if (wanted[i] && facts->nspid[facts->levels - count + i] != wanted[i]) good = 0;
  if (good) return;
  struct facts list = {.levels = count};
  memcpy(list.nspid, wanted, (size_t)count * sizeof *wanted);
  char text[256];
  format(text, sizeof text, "%s", nspid_text(&list));
  case_fails(line, "NSpid: wanted the last levels to be \"%s\" (0 = any), got \"%s\"", text, nspid_text(facts));
}

long fork_and_wait(void) {
  long pid = sys_fork();
  if (pid == 0) return 0;
  expect(pid > 0, "fork: %s", errno_name(pid));
  reap_good(pid);
  return pid;
}

long enter_pid_ns(int depth) {
  for (int level = 0; level < depth; level++) {
    long pid = SYS5(clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (pid == -EPERM) case_skips("no privilege to make a pid namespace");
    expect(pid >= 0, "clone(CLONE_NEWPID): %s", errno_name(pid));
    if (pid > 0) {
      reap_good(pid);
      if (level == 0) return pid;
      sys_exit_group(0);
    }
  }
  return 0;
}

void wait_for_release(int fd) {
  char byte;
  while (sys_read(fd, &byte, 1) == -EINTR);
  sys_exit_group(0);
}

/* One byte, not the end of the pipe, is the sign: later children hold copies of the writing end. */
void release(struct held *held) {
  sys_write(held->release_fd, "", 1);
  sys_close(held->release_fd);
  reap_good(held->pid);
}

struct held hold_fork(void) {
  int ends[2];
  expect_value(sys_pipe(ends), 0, "pipe2");
  long pid = sys_fork();
  if (pid == 0) wait_for_release(ends[0]);
  expect(pid > 0, "fork: %s", errno_name(pid));
  sys_close(ends[0]);
  return (struct held){pid, ends[1]};
}

/* --- privileges ----------------------------------------------------------------------------------------------------- */

int become_unprivileged(int uid) {
  expect_value(SYS3(setresgid, uid, uid, uid), 0, "setresgid");
  expect_value(SYS3(setresuid, uid, uid, uid), 0, "setresuid");
  return 1;
}

void keep_only_capability(int capability) {
  struct cap_header header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct cap_data data[2] = {{0}};
  if (capability >= 0) data[capability / 32].effective = data[capability / 32].permitted = 1u << (capability % 32);
  expect_value(SYS2(capset, &header, data), 0, "capset");
}

void drop_capability(int capability) {
  struct cap_header header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct cap_data data[2] = {{0}};
  expect_value(SYS2(capget, &header, data), 0, "capget");
  data[capability / 32].effective &= ~(1u << (capability % 32));
  data[capability / 32].permitted &= ~(1u << (capability % 32));
  expect_value(SYS2(capset, &header, data), 0, "capset");
}

/* --- memory --------------------------------------------------------------------------------------------------------- */

char *low_memory(size_t size) {
  long address = sys_mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  expect(!is_error(address), "mmap(MAP_32BIT): %s", errno_name(address));
  expect((unsigned long)address + size <= 1UL << 32, "mmap(MAP_32BIT) gave 0x%lx", address);
  return (char *)address;
}

/* Placed in a corner of the address space where nothing else is mapped, so that the hole behind stays one. */
char *guard(int pages) {
  static unsigned long next = 0x500000000UL;
  size_t size = (size_t)pages * PAGE_SIZE;
  long address = sys_mmap((void *)next, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  expect_value(address, next, "mmap(MAP_FIXED)");
  next += size + 16 * PAGE_SIZE;
  return (char *)address + size;
}

enum { STACK_SIZE = 32768 };
char *new_stack(void) { return low_memory(STACK_SIZE) + STACK_SIZE; }

/* --- files ---------------------------------------------------------------------------------------------------------- */

long read_number(const char *path) {
  char text[32];
  long length = read_file(path, text, sizeof text);
  return length < 0 ? length : parse_number(text);
}

long write_number(const char *path, long value) {
  char text[24];
  size_t length = format(text, sizeof text, "%ld\n", value);
  long fd = sys_open(path, O_WRONLY, 0);
  if (fd < 0) return fd;
  long written = sys_write((int)fd, text, length);
  sys_close((int)fd);
  return written < 0 ? written : 0;
}

void set_pid_max(int value) {
  struct facts me;
  report(&me);
  long old = read_number("/proc/sys/kernel/pid_max");
  expect(old > 0, "/proc/sys/kernel/pid_max cannot be read: %s", errno_name(old));
  if (me.levels == 1 && !shared->old_pid_max) shared->old_pid_max = (int)old;
  long result = write_number("/proc/sys/kernel/pid_max", value);
  expect(result == 0, "writing %d to /proc/sys/kernel/pid_max: %s", value, errno_name(result));
  expect_value(read_number("/proc/sys/kernel/pid_max"), value, "/proc/sys/kernel/pid_max after writing");
}

int count_lines(const char *path) {
  char block[1024];
  int lines = 0;
  long got, fd = sys_open(path, O_RDONLY, 0);
  if (fd < 0) return (int)fd;
  while ((got = sys_read((int)fd, block, sizeof block)) > 0)
    for (long i = 0; i < got; i++) lines += block[i] == '\n';
  sys_close((int)fd);
  return lines;
}
