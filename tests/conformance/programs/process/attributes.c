/* Smaller attributes of a process: prctl, uname, nice, scheduling, personality, kcmp (prctl(2), sched(7), kcmp(2)). */
#include "threads.h"

CASE(name, "PR_SET_NAME cuts at 15 bytes, is the thread's own, and shows in /proc") {
  char name[16] = {0};
  expect_ok(SYS2(prctl, PR_SET_NAME, "a-name-that-is-too-long"));
  expect_ok(SYS2(prctl, PR_GET_NAME, name));
  expect(strcmp(name, "a-name-that-is-") == 0, "the name is %s", name);
  IN_CHILD {
    expect_ok(SYS2(prctl, PR_GET_NAME, name));
    expect(strcmp(name, "a-name-that-is-") == 0, "the child's name is %s", name);
  }
  expect_error(EFAULT, SYS2(prctl, PR_SET_NAME, 8));
}

CASE(unknown_option, "prctl with an unknown option gives EINVAL") { expect_error(EINVAL, SYS2(prctl, 0x12345, 0)); }

CASE(tsc, "PR_GET_TSC says that rdtsc is allowed") {
  int mode = 9;
  expect_ok(SYS2(prctl, PR_GET_TSC, &mode));
  expect_value(mode, 1, "the mode");
}

CASE(timer_slack, "PR_SET_TIMERSLACK sets the slack, 0 the default") {
  expect_ok(SYS2(prctl, PR_SET_TIMERSLACK, 1000));
  expect_value(SYS1(prctl, PR_GET_TIMERSLACK), 1000, "the slack");
  expect_ok(SYS2(prctl, PR_SET_TIMERSLACK, 0));
  expect_value(SYS1(prctl, PR_GET_TIMERSLACK), 50000, "the default");
}

CASE(subreaper_flag, "PR_SET_CHILD_SUBREAPER is the process's, read with PR_GET_CHILD_SUBREAPER") {
  int value = 9;
  expect_ok(SYS2(prctl, PR_SET_CHILD_SUBREAPER, 1));
  expect_ok(SYS2(prctl, PR_GET_CHILD_SUBREAPER, &value));
  expect_value(value, 1, "the value");
  expect_ok(SYS2(prctl, PR_SET_CHILD_SUBREAPER, 0));
}

CASE(uname, "uname says Linux and x86_64") {
  struct utsname names;
  expect_ok(SYS1(uname, &names));
  expect(strcmp(names.sysname, "Linux") == 0, "sysname is %s", names.sysname);
  expect(strcmp(names.machine, "x86_64") == 0, "machine is %s", names.machine);
  expect(parse_number(names.release) >= 5, "release is %s", names.release);
  expect_error(EFAULT, SYS1(uname, 8));
}

CASE(personality, "personality is read with -1, set, inherited, and shown by uname for UNAME26") {
  struct utsname names;
  long old = SYS1(personality, 0xffffffff);
  expect_value(SYS1(personality, old | ADDR_NO_RANDOMIZE), old, "setting gives the old one");
  IN_CHILD expect_value(SYS1(personality, 0xffffffff), old | ADDR_NO_RANDOMIZE, "in the child");
  expect_ok(SYS1(personality, 0x0020000));
  expect_ok(SYS1(uname, &names));
  expect(starts_with(names.release, "2.6."), "release is %s", names.release);
}

/* --- scheduling ----------------------------------------------------------------------------------------------------- */

CASE(nice, "setpriority is cut to -20 and 19, getpriority gives 20 minus nice") {
  expect_ok(SYS3(setpriority, PRIO_PROCESS, 0, 5));
  expect_value(SYS2(getpriority, PRIO_PROCESS, 0), 15, "with nice 5");
  expect_ok(SYS3(setpriority, PRIO_PROCESS, 0, 100));
  expect_value(SYS2(getpriority, PRIO_PROCESS, 0), 1, "with nice 100");
  expect_ok(SYS3(setpriority, PRIO_PROCESS, 0, -100));
  expect_value(SYS2(getpriority, PRIO_PROCESS, 0), 40, "with nice -100");
  IN_CHILD expect_value(SYS2(getpriority, PRIO_PROCESS, 0), 40, "in the child");
}

CASE(nice_of_many, "getpriority of a group gives the highest of its members") {
  IN_CHILD {
    expect_ok(SYS2(setpgid, 0, 0));
    struct held held = hold_fork();
    expect_ok(SYS3(setpriority, PRIO_PROCESS, 0, 7));
    expect_value(SYS2(getpriority, PRIO_PGRP, 0), 20, "of the group");
    expect_ok(SYS3(setpriority, PRIO_PGRP, 0, 9));
    expect_value(SYS2(getpriority, PRIO_PROCESS, held.pid), 11, "of the other member");
    release(&held);
  }
}

CASE(nice_errors, "setpriority refuses unknown kinds with EINVAL, free numbers with ESRCH, others' processes with EPERM") {
  struct held held = hold_fork();
  expect_error(EINVAL, SYS3(setpriority, 3, 0, 0));
  expect_error(EINVAL, SYS2(getpriority, -1, 0));
  expect_error(ESRCH, SYS2(getpriority, PRIO_PROCESS, free_pid()));
  AS_UNPRIVILEGED expect_error(EPERM, SYS3(setpriority, PRIO_PROCESS, held.pid, 5));
  release(&held);
}

CASE(policies, "sched_setscheduler checks policy and priority, and sched_get_priority knows their ranges") {
  int none = 0, one = 1, hundred = 100;
  expect_value(SYS1(sched_getscheduler, 0), SCHED_OTHER, "at first");
  expect_ok(SYS3(sched_setscheduler, 0, SCHED_BATCH, &none));
  expect_value(SYS1(sched_getscheduler, 0), SCHED_BATCH, "afterwards");
  expect_ok(SYS3(sched_setscheduler, 0, SCHED_OTHER, &none));
  expect_error(EINVAL, SYS3(sched_setscheduler, 0, SCHED_OTHER, &one));
  expect_error(EINVAL, SYS3(sched_setscheduler, 0, SCHED_FIFO, &none));
  expect_error(EINVAL, SYS3(sched_setscheduler, 0, SCHED_FIFO, &hundred));
  expect_error(EINVAL, SYS3(sched_setscheduler, 0, 99, &none));
  expect_error(EINVAL, SYS3(sched_setscheduler, -1, SCHED_OTHER, &none));
  expect_error(ESRCH, SYS3(sched_setscheduler, free_pid(), SCHED_OTHER, &none));
  expect_value(SYS1(sched_get_priority_max, SCHED_FIFO), 99, "highest FIFO priority");
  expect_value(SYS1(sched_get_priority_min, SCHED_RR), 1, "lowest RR priority");
  expect_value(SYS1(sched_get_priority_max, SCHED_OTHER), 0, "highest OTHER priority");
  expect_error(EINVAL, SYS1(sched_get_priority_max, 99));
}

CASE(attributes, "sched_getattr and sched_setattr read and set policy and nice") {
  struct sched_attr attr = {0};
  expect_ok(SYS3(setpriority, PRIO_PROCESS, 0, 3));
  expect_ok(SYS4(sched_getattr, 0, &attr, sizeof attr, 0));
  expect_value(attr.size, 56 < sizeof attr ? 56 : sizeof attr, "size");
  expect_value(attr.sched_policy, SCHED_OTHER, "policy");
  expect_value(attr.sched_nice, 3, "nice");
  attr = (struct sched_attr){.size = sizeof attr, .sched_policy = SCHED_BATCH, .sched_nice = 6};
  expect_ok(SYS3(sched_setattr, 0, &attr, 0));
  expect_value(SYS2(getpriority, PRIO_PROCESS, 0), 14, "getpriority");
  expect_value(SYS1(sched_getscheduler, 0), SCHED_BATCH, "policy afterwards");
  expect_error(EINVAL, SYS4(sched_getattr, 0, &attr, 47, 0));
  expect_error(EINVAL, SYS4(sched_getattr, 0, &attr, sizeof attr, 1));
  expect_error(EINVAL, SYS3(sched_setattr, 0, &attr, 1));
}

CASE(affinity, "the affinity mask has a processor, and an empty one gives EINVAL") {
  uint64_t mask[16] = {0}, none[16] = {0};
  long length = expect_ok(SYS3(sched_getaffinity, 0, sizeof mask, mask));
  expect(length >= 8 && length % 8 == 0, "%ld bytes", length);
  expect(mask[0] != 0, "no processor");
  expect_ok(SYS3(sched_setaffinity, 0, sizeof mask, mask));
  expect_error(EINVAL, SYS3(sched_setaffinity, 0, sizeof none, none));
  expect_error(EINVAL, SYS3(sched_getaffinity, 0, 7, mask));
  expect_error(ESRCH, SYS3(sched_getaffinity, free_pid(), sizeof mask, mask));
}

CASE(getcpu, "getcpu gives a processor of the affinity mask") {
  uint64_t mask[16] = {0};
  unsigned cpu = 9999, node = 9999;
  expect_ok(SYS3(sched_getaffinity, 0, sizeof mask, mask));
  expect_ok(SYS3(getcpu, &cpu, &node, 0));
  expect(cpu < 1024 && (mask[cpu / 64] >> (cpu % 64) & 1), "processor %u", cpu);
  expect_ok(SYS3(getcpu, 0, 0, 0));
  expect_error(EFAULT, SYS3(getcpu, 8, 0, 0));
}

CASE(yield, "sched_yield succeeds") { expect_ok(SYS0(sched_yield)); }

CASE(membarrier, "membarrier lists its commands, and a private one must be registered first: EPERM") {
  long commands = expect_ok(SYS3(membarrier, MEMBARRIER_CMD_QUERY, 0, 0));
  expect((commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0, "commands 0x%lx", commands);
  expect_error(EPERM, SYS3(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
  expect_ok(SYS3(membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
  expect_ok(SYS3(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
  expect_ok(SYS3(membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
  expect_error(EINVAL, SYS3(membarrier, 1 << 30, 0, 0));
  expect_error(EINVAL, SYS3(membarrier, MEMBARRIER_CMD_QUERY, 0x100, 0));
}

/* --- kcmp ----------------------------------------------------------------------------------------------------------- */

static long compare(long one, long two, int type, long a, long b) { return SYS5(kcmp, one, two, type, a, b); }

CASE(kcmp_file, "kcmp tells whether two descriptors are one open file") {
  skip_unless(compare(sys_getpid(), sys_getpid(), KCMP_VM, 0, 0) != -ENOSYS, "no kcmp in this kernel");
  int ends[2];
  sys_pipe(ends);
  long copy = expect_ok(SYS1(dup, ends[0])), self = sys_getpid();
  expect_value(compare(self, self, KCMP_FILE, ends[0], copy), 0, "a copy");
  expect(compare(self, self, KCMP_FILE, ends[0], ends[1]) != 0, "two files are the same");
  struct held held = hold_fork();
  expect_value(compare(self, held.pid, KCMP_FILE, ends[0], ends[0]), 0, "the child's");
  expect_value(compare(self, held.pid, KCMP_FILES, 0, 0) != 0, 1, "the tables differ");
  release(&held);
  expect_error(EBADF, compare(self, self, KCMP_FILE, 999, 0));
}

CASE(kcmp_order, "kcmp gives an order: 1 one way and 2 the other") {
  long self = sys_getpid();
  skip_unless(compare(self, self, KCMP_VM, 0, 0) != -ENOSYS, "no kcmp in this kernel");
  struct held held = hold_fork();
  long there = compare(self, held.pid, KCMP_VM, 0, 0), back = compare(held.pid, self, KCMP_VM, 0, 0);
  expect((there == 1 && back == 2) || (there == 2 && back == 1), "%ld and %ld", there, back);
  release(&held);
}

CASE(kcmp_errors, "kcmp refuses unknown types with EINVAL and free numbers with ESRCH, others' processes with EPERM") {
  long self = sys_getpid();
  skip_unless(compare(self, self, KCMP_VM, 0, 0) != -ENOSYS, "no kcmp in this kernel");
  struct held held = hold_fork();
  expect_error(EINVAL, compare(self, self, 99, 0, 0));
  expect_error(ESRCH, compare(self, free_pid(), KCMP_VM, 0, 0));
  AS_UNPRIVILEGED expect_error(EPERM, compare(sys_getpid(), held.pid, KCMP_VM, 0, 0));
  release(&held);
}

CASE(umask, "umask gives the old mask and keeps nine bits, and is inherited") {
  SYS1(umask, 0);
  expect_value(SYS1(umask, 07777), 0, "the old mask");
  expect_value(SYS1(umask, 022), 0777, "the nine bits");
  IN_CHILD expect_value(SYS1(umask, 0), 022, "in the child");
}

CASE(random, "getrandom fills its buffer, differently each time, and refuses unknown flags") {
  uint64_t one[4] = {0}, two[4] = {0};
  expect_value(SYS3(getrandom, one, 32, 0), 32, "getrandom");
  expect_value(SYS3(getrandom, two, 32, GRND_NONBLOCK), 32, "getrandom");
  expect(memcmp(one, two, 32) != 0, "twice the same bytes");
  expect_error(EINVAL, SYS3(getrandom, one, 32, 0x100));
  expect_error(EFAULT, SYS3(getrandom, 8, 32, 0));
}

CASE(sysinfo, "sysinfo gives plausible numbers") {
  struct { int64_t uptime; uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap; uint16_t procs, pad; uint32_t pad2; uint64_t totalhigh, freehigh; uint32_t unit; } info;
  expect_ok(SYS1(sysinfo, &info));
  expect(info.unit >= 1 && info.totalram >= info.freeram && info.freeram > 0 && info.procs >= 2, "ram %lu of %lu, %d processes",
         info.freeram, info.totalram, info.procs);
}

CASE(arch_prctl, "arch_prctl sets and gets FS and GS base, and refuses kernel addresses with EPERM") {
  uint64_t value = 0;
  static char block[64];
  expect_ok(SYS2(arch_prctl, ARCH_SET_GS, block));
  expect_ok(SYS2(arch_prctl, ARCH_GET_GS, &value));
  expect_value(value, block, "GS base");
  block[8] = 42;
  uint8_t byte;
  __asm__ volatile("movb %%gs:8, %0" : "=r"(byte)::"memory");
  expect_value(byte, 42, "a byte through GS");
  expect_error(EPERM, SYS2(arch_prctl, ARCH_SET_FS, 0xffff800000000000));
  expect_error(EINVAL, SYS2(arch_prctl, 0x9999, 0));
}

MAIN("process.attributes")
