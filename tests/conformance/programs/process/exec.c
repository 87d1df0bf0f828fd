/* execve: what the new program finds, what survives, and what goes wrong (execve(2)). The program starts itself again, with
 * "--report" as its first argument; it then writes what it sees to descriptor 9. */
#include "proc.h"
#include "threads.h"

enum { REPORT_FD = 9 };
struct image {
  int argc, pid, tid, ppid, threads;
  char args[3][32], environment[2][32], exec_name[64], platform[16], comm[20];
  uint64_t mask, ignored, caught, pending, aux[52], stack, stack_alignment;
  int altstack_flags, open_files, pdeathsig, dumpable, keepcaps, no_new_privs, random_given, umask, nice, euid, egid;
  uint64_t effective, permitted, ambient, robust_head;
};

static void copy_text(char *to, const char *from, size_t size) {
  size_t i = 0;
  for (; from && from[i] && i + 1 < size; i++) to[i] = from[i];
  to[i] = 0;
}

static int write_report(int argc, char **argv, char **envp) {
  static struct image image;
  image.argc = argc;
  for (int i = 0; i < argc && i < 3; i++) copy_text(image.args[i], argv[i], sizeof image.args[i]);
  for (int i = 0; envp[i] && i < 2; i++) copy_text(image.environment[i], envp[i], sizeof image.environment[i]);
  char **end = envp;
  while (*end) end++;
  for (uint64_t *aux = (uint64_t *)(end + 1); aux[0] != AT_NULL; aux += 2) {
    if (aux[0] < 52) image.aux[aux[0]] = aux[1];
    if (aux[0] == AT_EXECFN) copy_text(image.exec_name, (char *)aux[1], sizeof image.exec_name);
    if (aux[0] == AT_PLATFORM) copy_text(image.platform, (char *)aux[1], sizeof image.platform);
    if (aux[0] == AT_RANDOM) image.random_given = *(uint64_t *)aux[1] != 0 || *(uint64_t *)(aux[1] + 8) != 0;
  }
  image.stack = (uint64_t)argv;
  image.stack_alignment = ((uint64_t)argv - 8) % 16;
  image.pid = (int)sys_getpid(), image.tid = (int)sys_gettid(), image.ppid = (int)sys_getppid();
  image.threads = (int)status_number("self", "Threads", 10);
  image.mask = current_mask();
  image.pending = pending_signals();
  image.ignored = status_number("self", "SigIgn", 16);
  image.caught = status_number("self", "SigCgt", 16);
  struct stack_description stack;
  SYS2(sigaltstack, 0, &stack);
  image.altstack_flags = stack.ss_flags;
  image.open_files = count_open_files();
  SYS2(prctl, PR_GET_PDEATHSIG, &image.pdeathsig);
  image.dumpable = (int)SYS1(prctl, PR_GET_DUMPABLE);
  image.keepcaps = (int)SYS1(prctl, PR_GET_KEEPCAPS);
  image.no_new_privs = (int)SYS5(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  image.umask = (int)SYS1(umask, 0);
  image.nice = 20 - (int)SYS2(getpriority, PRIO_PROCESS, 0);
  image.euid = (int)SYS0(geteuid), image.egid = (int)SYS0(getegid);
  SYS2(prctl, PR_GET_NAME, image.comm);
  struct cap_header header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct cap_data data[2];
  SYS2(capget, &header, data);
  image.effective = (uint64_t)data[1].effective << 32 | data[0].effective;
  image.permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
  for (int i = 0; i <= 40; i++) image.ambient |= (uint64_t)(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1) << i;
  size_t size;
  SYS3(get_robust_list, 0, &image.robust_head, &size);
  sys_write(REPORT_FD, &image, sizeof image);
  return 0;
}

/* --- starting ------------------------------------------------------------------------------------------------------- */

static struct image image;
static int report_ends[2];
static void open_report(void) {
  expect_ok(sys_pipe(report_ends));
  if (report_ends[1] != REPORT_FD) {
    expect_ok(SYS3(dup3, report_ends[1], REPORT_FD, 0));
    sys_close(report_ends[1]);
  }
}
static void read_report(long pid) {
  sys_close(REPORT_FD);
  size_t done = 0;
  for (long got; (got = sys_read(report_ends[0], (char *)&image + done, sizeof image - done)) > 0;) done += (size_t)got;
  reap_good(pid);
  expect_value(done, sizeof image, "bytes of the report");
}
static long exec_report(void) {
  char *arguments[] = {"program", "--report", "third", 0}, *environment[] = {"A=1", "B=two", 0};
  return SYS3(execve, "/proc/self/exe", arguments, environment);
}
/* Forks, prepares, executes, and reads the report. */
static void run(void (*prepare)(void)) {
  open_report();
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    if (prepare) prepare();
    expect_ok(exec_report());
  }
  read_report(pid);
}

CASE(arguments, "the new program gets its arguments and its environment, and nothing else") {
  run(0);
  expect_value(image.argc, 3, "argc");
  expect(strcmp(image.args[0], "program") == 0 && strcmp(image.args[2], "third") == 0, "arguments %s, %s", image.args[0], image.args[2]);
  expect(strcmp(image.environment[0], "A=1") == 0 && strcmp(image.environment[1], "B=two") == 0, "environment %s, %s",
         image.environment[0], image.environment[1]);
}

CASE(same_process, "execve keeps the pid and the parent, and the stack is aligned to 16 bytes") {
  long self = sys_getpid();
  run(0);
  expect_value(image.ppid, self, "ppid");
  expect_value(image.pid, image.tid, "tid");
  expect_value(image.stack_alignment, 0, "rsp modulo 16");
}

CASE(auxiliary_vector, "the auxiliary vector has page size, program headers, entry, ids, platform, name and random bytes") {
  run(0);
  expect_value(image.aux[AT_PAGESZ], 4096, "AT_PAGESZ");
  expect_value(image.aux[AT_CLKTCK], 100, "AT_CLKTCK");
  expect_value(image.aux[AT_PHENT], 56, "AT_PHENT");
  expect(image.aux[AT_PHNUM] > 0 && image.aux[AT_PHDR] != 0 && image.aux[AT_ENTRY] != 0, "headers %lu at 0x%lx, entry 0x%lx",
         image.aux[AT_PHNUM], image.aux[AT_PHDR], image.aux[AT_ENTRY]);
  expect_value(image.aux[AT_BASE], 0, "AT_BASE");
  expect_value(image.aux[AT_UID], SYS0(getuid), "AT_UID");
  expect_value(image.aux[AT_EGID], SYS0(getegid), "AT_EGID");
  expect_value(image.aux[AT_SECURE], 0, "AT_SECURE");
  expect(strcmp(image.platform, "x86_64") == 0, "AT_PLATFORM is %s", image.platform);
  expect(strcmp(image.exec_name, "/proc/self/exe") == 0, "AT_EXECFN is %s", image.exec_name);
  expect_value(image.random_given, 1, "AT_RANDOM has bytes");
}

static void prepare_signals(void) {
  sys_set_action(SIGUSR1, SIG_IGN);
  sys_handle(SIGUSR2, note_signal, 0);
  set_mask(SIG_SETMASK, signal_bit(SIGHUP) | signal_bit(SIGTERM));
  sys_kill(sys_getpid(), SIGHUP);
  SYS2(tkill, sys_gettid(), SIGTERM);
  static char stack[8192];
  struct stack_description alternate = {(uint64_t)stack, 0, 0, sizeof stack};
  expect_ok(SYS2(sigaltstack, &alternate, 0));
}
CASE(signals, "execve keeps ignored signals, the mask and what is pending; handlers become default and the alternate stack goes") {
  run(prepare_signals);
  expect((image.ignored & signal_bit(SIGUSR1)) != 0, "SIGUSR1 is not ignored: 0x%lx", image.ignored);
  expect_value(image.caught, 0, "signals with a handler");
  expect_value(image.mask, signal_bit(SIGHUP) | signal_bit(SIGTERM), "the mask");
  expect_value(image.pending, signal_bit(SIGHUP) | signal_bit(SIGTERM), "pending signals");
  expect_value(image.altstack_flags, SS_DISABLE, "flags of the alternate stack");
}

static void prepare_files(void) {
  int ends[2];
  expect_ok(SYS2(pipe2, ends, O_CLOEXEC));
  expect_ok(SYS2(pipe2, ends, 0));
  shared->words[0] = count_open_files();
}
CASE(files, "execve closes the close-on-exec descriptors and keeps the others") {
  run(prepare_files);
  expect_value(image.open_files, shared->words[0] - 2, "open files");
}

static void prepare_attributes(void) {
  expect_ok(SYS2(prctl, PR_SET_PDEATHSIG, SIGUSR1));
  expect_ok(SYS2(prctl, PR_SET_NAME, "renamed"));
  expect_ok(SYS2(prctl, PR_SET_KEEPCAPS, 1));
  expect_ok(SYS2(prctl, PR_SET_DUMPABLE, 0));
  expect_ok(SYS5(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  expect_ok(SYS3(setpriority, PRIO_PROCESS, 0, 5));
  SYS1(umask, 027);
  static struct robust_list_head head;
  expect_ok(SYS2(set_robust_list, &head, sizeof head));
}
CASE(attributes, "execve keeps pdeathsig, nice, umask and no_new_privs, and resets name, dumpable, keepcaps and robust list") {
  run(prepare_attributes);
  expect_value(image.pdeathsig, SIGUSR1, "pdeathsig");
  expect_value(image.nice, 5, "nice");
  expect_value(image.umask, 027, "umask");
  expect_value(image.no_new_privs, 1, "no_new_privs");
  expect(strcmp(image.comm, "exe") == 0, "the name is %s", image.comm);
  expect_value(image.dumpable, 1, "dumpable");
  expect_value(image.keepcaps, 0, "keepcaps");
  expect_value(image.robust_head, 0, "the robust list");
}

/* --- threads -------------------------------------------------------------------------------------------------------- */

static long exec_path(const char *path);

static __attribute__((noreturn)) int sleep_for_ever(void *unused) {
  (void)unused;
  for (;;) SYS0(pause);
}
static void prepare_threads(void) {
  for (int i = 0; i < 3; i++) wait_until_asleep(start_thread(sleep_for_ever, 0)->number);
}
CASE(threaded_leader, "execve by the leader ends all other threads") {
  run(prepare_threads);
  expect_value(image.threads, 1, "threads");
}

static int exec_in_thread(void *unused) {
  (void)unused;
  shared->words[0] = (int)sys_gettid();
  return (int)exec_report();
}
CASE(threaded_other, "execve by another thread gives it the leader's number, and its own one is free") {
  open_report();
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    prepare_threads();
    start_thread(exec_in_thread, 0);
    for (;;) SYS0(pause);
  }
  read_report(pid);
  expect_value(image.pid, pid, "pid");
  expect_value(image.tid, pid, "tid");
  expect_value(image.threads, 1, "threads");
  expect(shared->words[0] != pid, "the thread was the leader");
}

static int exec_when_leader_is_gone(void *unused) {
  (void)unused;
  wait_until_state(sys_getpid(), 'Z');
  return (int)exec_path("/proc/thread-self/exe"); /* the dead leader has no exe any more */
}
CASE(dead_leader, "execve works in a thread whose leader has ended") {
  open_report();
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    start_thread(exec_when_leader_is_gone, 0);
    sys_exit(77);
  }
  read_report(pid);
  expect_value(image.tid, pid, "tid");
}

CASE(vfork_exec, "a vfork parent goes on when its child executes, and its own memory is untouched") {
  open_report();
  volatile int word = 1;
  long pid = SYS5(clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    word = 2;
    exec_report();
    sys_exit_group(1);
  }
  expect_value(word, 2, "the word that the child has written");
  read_report(pid);
}

/* --- privileges ----------------------------------------------------------------------------------------------------- */

static void drop_ids(void) { become_unprivileged(1000); }
CASE(user_without_capabilities, "a program executed by an ordinary user has no capabilities") {
  run(drop_ids);
  expect_value(image.permitted, 0, "permitted");
  expect_value(image.aux[AT_EUID], 1000, "AT_EUID");
}

static void drop_effective(void) { keep_only_capability(CAP_KILL); }
CASE(root_regains, "a program executed by root regains the capabilities of the bounding set") {
  run(drop_effective);
  expect((image.effective & 1UL << CAP_SYS_ADMIN) != 0, "effective 0x%lx", image.effective);
}

static void drop_from_bounding(void) { expect_ok(SYS2(prctl, PR_CAPBSET_DROP, CAP_KILL)); }
CASE(bounding_limits, "what was dropped from the bounding set is not regained") {
  run(drop_from_bounding);
  expect_value(image.permitted & 1UL << CAP_KILL, 0, "CAP_KILL");
  expect((image.permitted & 1UL << CAP_SYS_ADMIN) != 0, "permitted 0x%lx", image.permitted);
}

static void no_root(void) { expect_ok(SYS2(prctl, PR_SET_SECUREBITS, SECBIT_NOROOT)); }
CASE(noroot, "with SECBIT_NOROOT root's program has no capabilities") {
  run(no_root);
  expect_value(image.permitted, 0, "permitted");
}

static void raise_ambient(void) {
  struct cap_header header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct cap_data data[2] = {{0}};
  data[0].effective = data[0].permitted = data[0].inheritable = 1u << CAP_KILL | 1u << CAP_SETUID | 1u << CAP_SETGID;
  expect_ok(SYS2(capset, &header, data));
  expect_ok(SYS2(prctl, PR_SET_KEEPCAPS, 1));
  expect_ok(SYS3(setresgid, 1000, 1000, 1000));
  expect_ok(SYS3(setresuid, 1000, 1000, 1000));
  expect_ok(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
}
CASE(ambient, "ambient capabilities are given to an ordinary user's program") {
  run(raise_ambient);
  expect_value(image.ambient, 1UL << CAP_KILL, "ambient");
  expect_value(image.permitted, 1UL << CAP_KILL, "permitted");
  expect_value(image.effective, 1UL << CAP_KILL, "effective");
}

/* Copies this program, as the file to set bits on. */
static void copy_program(const char *path, int mode) {
  static char block[65536];
  int from = (int)expect_ok(sys_open("/proc/self/exe", O_RDONLY | O_CLOEXEC, 0));
  int to = (int)expect_ok(sys_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700));
  for (long got; (got = sys_read(from, block, sizeof block)) > 0;) expect_value(sys_write(to, block, (size_t)got), got, "write");
  sys_close(from), sys_close(to);
  expect_ok(SYS2(chmod, path, mode));
}
static long exec_path(const char *path) {
  char *arguments[] = {"program", "--report", "third", 0}, *environment[] = {"A=1", 0};
  return SYS3(execve, path, arguments, environment);
}
static void run_copy(void (*prepare)(void)) {
  open_report();
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    if (prepare) prepare();
    expect_ok(exec_path("program"));
  }
  read_report(pid);
}

CASE(setuid, "a set-user-ID program gets its owner's effective uid and AT_SECURE, and is not dumpable") {
  own_folder();
  copy_program("program", 0755);
  expect_ok(SYS3(chown, "program", 1001, 1002));
  expect_ok(SYS2(chmod, "program", 06755));
  run_copy(drop_ids);
  expect_value(image.euid, 1001, "euid");
  expect_value(image.egid, 1002, "egid");
  expect_value(image.aux[AT_UID], 1000, "AT_UID");
  expect_value(image.aux[AT_SECURE], 1, "AT_SECURE");
  expect(image.dumpable != 1, "dumpable is %d", image.dumpable);
}

static void drop_ids_for_good(void) {
  expect_ok(SYS5(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  become_unprivileged(1000);
}
CASE(no_new_privs, "with no_new_privs the set-user-ID bit does nothing") {
  own_folder();
  copy_program("program", 0755);
  expect_ok(SYS3(chown, "program", 0, 0));
  expect_ok(SYS2(chmod, "program", 04755));
  run_copy(drop_ids_for_good);
  expect_value(image.euid, 1000, "euid");
  expect_value(image.permitted, 0, "permitted");
}

CASE(setuid_root, "a set-user-ID root program of an ordinary user gets all capabilities") {
  own_folder();
  copy_program("program", 04755);
  run_copy(drop_ids);
  expect_value(image.euid, 0, "euid");
  expect((image.effective & 1UL << CAP_SYS_ADMIN) != 0, "effective 0x%lx", image.effective);
}

static void drop_ids_with_pdeathsig(void) {
  become_unprivileged(1000);
  expect_ok(SYS2(prctl, PR_SET_PDEATHSIG, SIGUSR1));
}
CASE(setuid_pdeathsig, "a set-user-ID program begins without pdeathsig") {
  own_folder();
  copy_program("program", 04755);
  run_copy(drop_ids_with_pdeathsig);
  expect_value(image.pdeathsig, 0, "pdeathsig");
}

/* --- scripts -------------------------------------------------------------------------------------------------------- */

static void run_script(const char *script) {
  own_folder();
  copy_program("program", 0755);
  make_file("script", script, strlen(script), 0755);
  open_report();
  long pid = expect_ok(sys_fork());
  if (pid == 0) expect_ok(exec_path("script"));
  read_report(pid);
}

CASE(script, "a script is run by the interpreter in its first line, with the script's path as argument") {
  run_script("#!/tmp/program\nrest\n");
  expect(strcmp(image.args[0], "/tmp/program") == 0, "argv[0] is %s", image.args[0]);
  expect(strcmp(image.args[1], "script") == 0, "argv[1] is %s", image.args[1]);
  expect(strcmp(image.args[2], "--report") == 0, "argv[2] is %s", image.args[2]);
  expect_value(image.argc, 4, "argc");
  expect(strcmp(image.exec_name, "script") == 0, "AT_EXECFN is %s", image.exec_name);
  expect(strcmp(image.comm, "script") == 0, "the name is %s", image.comm);
}

CASE(script_argument, "all behind the interpreter is one argument, with blanks at its ends cut off") {
  run_script("#! \t/tmp/program  -a  b \t\nrest\n");
  expect(strcmp(image.args[1], "-a  b") == 0, "argv[1] is \"%s\"", image.args[1]);
  expect(strcmp(image.args[2], "script") == 0, "argv[2] is %s", image.args[2]);
}

CASE(script_without_newline, "a script of a single line needs no newline") {
  run_script("#!/tmp/program");
  expect(strcmp(image.args[1], "script") == 0, "argv[1] is %s", image.args[1]);
}

CASE(script_of_script, "an interpreter may be a script itself, up to four times, then ELOOP") {
  own_folder();
  copy_program("program", 0755);
  for (int i = 1; i <= 6; i++) {
    char name[16], text[64];
    format(name, sizeof name, "script%d", i);
    if (i == 1) format(text, sizeof text, "#!/tmp/program\n");
    else format(text, sizeof text, "#!/tmp/script%d\n", i - 1);
    make_file(name, text, strlen(text), 0755);
  }
  open_report();
  long pid = expect_ok(sys_fork());
  if (pid == 0) expect_ok(exec_path("script5"));
  read_report(pid);
  expect_error(ELOOP, exec_path("script6"));
}

CASE(bad_scripts, "a script whose interpreter is missing gives ENOENT, one without a name ENOEXEC") {
  own_folder();
  make_file("one", "#!/nowhere\n", 11, 0755);
  make_file("two", "#!\n", 3, 0755);
  make_file("three", "#!   \n", 6, 0755);
  expect_error(ENOENT, exec_path("one"));
  expect_error(ENOEXEC, exec_path("two"));
  expect_error(ENOEXEC, exec_path("three"));
}

/* --- errors --------------------------------------------------------------------------------------------------------- */

CASE(not_there, "what is not there gives ENOENT, an empty path too, and a path through a file ENOTDIR") {
  own_folder();
  make_file("file", "x", 1, 0755);
  expect_error(ENOENT, exec_path("nothing"));
  expect_error(ENOENT, exec_path(""));
  expect_error(ENOTDIR, exec_path("file/x"));
}

CASE(not_executable, "a file without execute permission gives EACCES even to root, a folder too") {
  own_folder();
  copy_program("program", 0644);
  expect_error(EACCES, exec_path("program"));
  expect_error(EACCES, exec_path("/tmp"));
}

CASE(no_permission, "an ordinary user needs execute permission on the file and on the path") {
  own_folder();
  expect_ok(SYS2(mkdir, "closed", 0700));
  copy_program("closed/program", 0755);
  copy_program("mine", 0744);
  AS_UNPRIVILEGED {
    expect_error(EACCES, exec_path("closed/program"));
    expect_error(EACCES, exec_path("mine"));
  }
}

CASE(noexec_mount, "a program on a mount with MS_NOEXEC gives EACCES") {
  own_folder();
  copy_program("program", 0755);
  expect_ok(SYS5(mount, 0, "/tmp", 0, 32 | 8 /* MS_REMOUNT | MS_NOEXEC */, 0));
  SYS1(chdir, "/tmp");
  expect_error(EACCES, exec_path("program"));
}

CASE(no_program, "a file that is no program gives ENOEXEC, and so does an empty one and another machine's") {
  own_folder();
  make_file("text", "hello\n", 6, 0755);
  make_file("empty", "", 0, 0755);
  copy_program("program", 0755);
  int fd = (int)expect_ok(sys_open("program", O_WRONLY, 0));
  expect_value(SYS4(pwrite64, fd, "\xb7\0", 2, 18), 2, "pwrite"); /* e_machine: AArch64 */
  sys_close(fd);
  expect_error(ENOEXEC, exec_path("text"));
  expect_error(ENOEXEC, exec_path("empty"));
  expect_error(ENOEXEC, exec_path("program"));
}

CASE(symlink_loop, "a loop of symbolic links gives ELOOP, a name that is too long ENAMETOOLONG") {
  static char name[5000];
  own_folder();
  expect_ok(SYS2(symlink, "two", "one"));
  expect_ok(SYS2(symlink, "one", "two"));
  expect_error(ELOOP, exec_path("one"));
  memset(name, 'x', 300);
  expect_error(ENAMETOOLONG, exec_path(name));
  memset(name, '/', sizeof name - 1);
  expect_error(ENAMETOOLONG, exec_path(name));
}

CASE(busy, "a program that is open for writing gives ETXTBSY, and a running one cannot be written") {
  own_folder();
  copy_program("program", 0755);
  int fd = (int)expect_ok(sys_open("program", O_WRONLY | O_CLOEXEC, 0));
  expect_error(ETXTBSY, exec_path("program"));
  sys_close(fd);
  expect_error(ETXTBSY, sys_open("/proc/self/exe", O_WRONLY, 0));
}

CASE(too_big, "arguments beyond 128 KiB each or a quarter of the stack limit give E2BIG") {
  static char text[140000];
  memset(text, 'x', sizeof text - 1);
  char *arguments[] = {text, 0}, *none[] = {0};
  expect_error(E2BIG, SYS3(execve, "/proc/self/exe", arguments, none));
  text[131071] = 0;
  struct rlimit limit = {512 << 10, RLIM_INFINITY};
  IN_CHILD {
    char *many[] = {text, text, 0};
    expect_ok(SYS2(getrlimit, RLIMIT_STACK, &limit));
    limit.rlim_cur = 512 << 10;
    expect_ok(SYS2(setrlimit, RLIMIT_STACK, &limit));
    expect_error(E2BIG, SYS3(execve, "/proc/self/exe", many, none));
  }
}

CASE(bad_pointers, "bad pointers in path, arguments or environment give EFAULT") {
  char *bad[] = {"x", (char *)8, 0}, *good[] = {"x", 0};
  expect_error(EFAULT, SYS3(execve, 8, good, good));
  expect_error(EFAULT, SYS3(execve, "/proc/self/exe", 8, good));
  expect_error(EFAULT, SYS3(execve, "/proc/self/exe", good, 8));
  expect_error(EFAULT, SYS3(execve, "/proc/self/exe", bad, good));
}

CASE(no_arguments, "a program executed without arguments gets one empty string") {
  open_report();
  int status;
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    SYS3(execve, "/proc/self/exe", 0, 0); /* runs the whole suite unless it sees argc 1 and an empty argv[0] */
    sys_exit_group(1);
  }
  expect_value(sys_wait4(pid, &status, 0), pid, "wait4");
  expect_value(status, 43 << 8, "the wait status");
}

CASE(execveat, "execveat runs a descriptor with AT_EMPTY_PATH, and a path below a folder's descriptor") {
  char *arguments[] = {"program", "--report", "third", 0}, *environment[] = {0};
  int fd = (int)expect_ok(sys_open("/proc/self/exe", O_PATH | O_CLOEXEC, 0));
  open_report();
  long pid = expect_ok(sys_fork());
  if (pid == 0) expect_ok(SYS5(execveat, fd, "", arguments, environment, AT_EMPTY_PATH));
  read_report(pid);
  char wanted[32];
  format(wanted, sizeof wanted, "/dev/fd/%d", fd);
  expect(strcmp(image.exec_name, wanted) == 0, "AT_EXECFN is %s", image.exec_name);
  expect_error(ENOENT, SYS5(execveat, fd, "", arguments, environment, 0));
  expect_error(EINVAL, SYS5(execveat, fd, "x", arguments, environment, 1));
  expect_error(EBADF, SYS5(execveat, 999, "x", arguments, environment, 0));
  own_folder();
  expect_ok(SYS2(symlink, "/proc/self/exe", "link"));
  expect_error(ELOOP, SYS5(execveat, AT_FDCWD, "link", arguments, environment, AT_SYMLINK_NOFOLLOW));
}

CASE(failed_exec_harmless, "a failed execve changes nothing: threads, handlers and descriptors are still there") {
  sys_handle(SIGUSR1, note_signal, 0);
  struct thread *thread = start_thread(sleep_for_ever, 0);
  wait_until_asleep(thread->number);
  expect_error(ENOENT, exec_path("/nowhere"));
  expect_value(status_number("self", "Threads", 10), 2, "threads");
  sys_kill(sys_getpid(), SIGUSR1);
  expect_value(noted.count, 1, "handler calls");
}

int main(int argc, char **argv, char **envp) {
  if (argc == 1 && argv[0][0] == 0) return 43;
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], "--report") == 0) return write_report(argc, argv, envp);
  if (argc > 1 && strcmp(argv[1], "script") == 0) return write_report(argc, argv, envp);
  struct suite suite = {.list = "process.exec",
                        .cases = __start_test_cases,
                        .count = (int)(__stop_test_cases - __start_test_cases)};
  return tap_main(argc, argv, envp, &suite);
}
