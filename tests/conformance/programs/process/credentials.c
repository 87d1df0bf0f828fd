/* User and group ids and capabilities (credentials(7), capabilities(7)). */
#include "threads.h"

struct ids {
  int real, effective, saved;
};
static struct ids uids(void) {
  struct ids ids;
  expect_ok(SYS3(getresuid, &ids.real, &ids.effective, &ids.saved));
  return ids;
}
static struct ids gids(void) {
  struct ids ids;
  expect_ok(SYS3(getresgid, &ids.real, &ids.effective, &ids.saved));
  return ids;
}
static void expect_ids(int line, struct ids ids, int real, int effective, int saved) {
  if (ids.real != real || ids.effective != effective || ids.saved != saved)
    case_fails(line, "ids %d/%d/%d instead of %d/%d/%d", ids.real, ids.effective, ids.saved, real, effective, saved);
}
struct caps {
  uint64_t effective, permitted, inheritable;
};
static struct caps caps_of(int pid) {
  struct cap_header header = {_LINUX_CAPABILITY_VERSION_3, pid};
  struct cap_data data[2] = {{0}};
  expect_ok(SYS2(capget, &header, data));
  return (struct caps){(uint64_t)data[1].effective << 32 | data[0].effective, (uint64_t)data[1].permitted << 32 | data[0].permitted,
                       (uint64_t)data[1].inheritable << 32 | data[0].inheritable};
}
static long set_caps(struct caps caps) {
  struct cap_header header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct cap_data data[2] = {{(uint32_t)caps.effective, (uint32_t)caps.permitted, (uint32_t)caps.inheritable},
                             {(uint32_t)(caps.effective >> 32), (uint32_t)(caps.permitted >> 32), (uint32_t)(caps.inheritable >> 32)}};
  return SYS2(capset, &header, data);
}

/* --- ids: one row a call ---------------------------------------------------------------------------------------------- */

enum { SETUID, SETREUID, SETRESUID };
struct row {
  const char *what;
  int privileged; /* begins as root, else as 1000/1001/1002 */
  int call, a, b, c;
  int result; /* 0 or an errno */
  int real, effective, saved;
};
static const struct row rows[] = {
    {"root: setuid sets all three", 1, SETUID, 5, 0, 0, 0, 5, 5, 5},
    {"user: setuid to the real id sets the effective one", 0, SETUID, 1000, 0, 0, 0, 1000, 1000, 1002},
    {"user: setuid to the saved id", 0, SETUID, 1002, 0, 0, 0, 1000, 1002, 1002},
    {"user: setuid to the effective id alone is refused", 0, SETUID, 1001, 0, 0, EPERM, 1000, 1001, 1002},
    {"user: setuid to another id is refused", 0, SETUID, 7, 0, 0, EPERM, 1000, 1001, 1002},
    {"setuid to -1 is refused", 1, SETUID, -1, 0, 0, EINVAL, 0, 0, 0},
    {"root: setreuid sets real and effective, and saved", 1, SETREUID, 5, 6, 0, 0, 5, 6, 6},
    {"root: setreuid of the effective id alone changes saved when it differs from real", 1, SETREUID, -1, 6, 0, 0, 0, 6, 6},
    {"user: setreuid swaps real and effective", 0, SETREUID, 1001, 1000, 0, 0, 1001, 1000, 1000},
    {"user: setreuid of the real id to the saved one is refused", 0, SETREUID, 1002, -1, 0, EPERM, 1000, 1001, 1002},
    {"user: setreuid of the effective id to the saved one", 0, SETREUID, -1, 1002, 0, 0, 1000, 1002, 1002},
    {"user: setreuid of the effective id to real keeps saved", 0, SETREUID, -1, 1000, 0, 0, 1000, 1000, 1002},
    {"root: setresuid sets each", 1, SETRESUID, 5, 6, 7, 0, 5, 6, 7},
    {"setresuid with -1 changes nothing", 1, SETRESUID, -1, -1, -1, 0, 0, 0, 0},
    {"user: setresuid may permute", 0, SETRESUID, 1002, 1000, 1001, 0, 1002, 1000, 1001},
    {"user: setresuid to another id is refused as a whole", 0, SETRESUID, 1000, 1000, 7, EPERM, 1000, 1001, 1002},
};
static long call_uid(const struct row *row) {
  if (row->call == SETUID) return SYS1(setuid, row->a);
  if (row->call == SETREUID) return SYS2(setreuid, row->a, row->b);
  return SYS3(setresuid, row->a, row->b, row->c);
}
static long call_gid(const struct row *row) {
  if (row->call == SETUID) return SYS1(setgid, row->a);
  if (row->call == SETREUID) return SYS2(setregid, row->a, row->b);
  return SYS3(setresgid, row->a, row->b, row->c);
}
static void try_rows(long groups) {
  for (int i = 0; i < LENGTH(rows); i++) {
    const struct row *row = &rows[i];
    IN_CHILD {
      if (!row->privileged) {
        expect_ok(SYS3(setresgid, 1000, 1001, 1002));
        expect_ok(SYS3(setresuid, 1000, 1001, 1002));
      }
      long result = groups ? call_gid(row) : call_uid(row);
      expect(result == -row->result, "%s: %ld instead of %d", row->what, result, -row->result);
      struct ids ids = groups ? gids() : uids();
      expect(ids.real == row->real && ids.effective == row->effective && ids.saved == row->saved, "%s: ids %d/%d/%d", row->what,
             ids.real, ids.effective, ids.saved);
    }
  }
}
CASE_ROW(uid_table, try_rows, 0, "setuid, setreuid and setresuid follow the table of who may set what")
CASE_ROW(gid_table, try_rows, 1, "setgid, setregid and setresgid follow the same table")

CASE(fsuid, "setfsuid gives the old one and changes nothing it may not, and a change of euid changes it too") {
  expect_value(SYS1(setfsuid, -1), 0, "asking");
  expect_value(SYS1(setfsuid, 1000), 0, "the old one");
  expect_value(SYS1(setfsuid, -1), 1000, "the new one");
  expect_ok(SYS3(setresuid, -1, 1001, -1));
  expect_value(SYS1(setfsuid, -1), 1001, "after setresuid");
  expect_value(SYS1(setfsuid, 7), 1001, "an id it may not take");
  expect_value(SYS1(setfsuid, -1), 1001, "unchanged");
  expect_value(SYS1(setfsgid, -1), 0, "fsgid");
}

CASE(groups, "setgroups replaces the list, getgroups reads it, and only CAP_SETGID may") {
  int set[] = {5, 7, 6}, got[8] = {0};
  expect_ok(SYS2(setgroups, 3, set));
  expect_value(SYS2(getgroups, 0, 0), 3, "the number");
  expect_value(SYS2(getgroups, 8, got), 3, "getgroups");
  expect(got[0] == 5 && got[1] == 6 && got[2] == 7, "sorted groups: %d %d %d", got[0], got[1], got[2]);
  expect_error(EINVAL, SYS2(getgroups, 2, got));
  expect_error(EINVAL, SYS2(setgroups, 65537, set));
  expect_error(EFAULT, SYS2(setgroups, 3, 8));
  AS_UNPRIVILEGED expect_error(EPERM, SYS2(setgroups, 0, 0));
}

static int change(void *unused) {
  (void)unused;
  return (int)SYS3(setresuid, 1000, 1000, 1000);
}

CASE(threads_apart, "ids are each thread's own in the kernel") {
  join_thread(start_thread(change, 0));
  expect_ids(__LINE__, uids(), 0, 0, 0);
}
/* --- capabilities ------------------------------------------------------------------------------------------------------ */

CASE(leaving_root, "when all uids leave 0 permitted and effective go, when only the effective one leaves effective goes and comes back") {
  uint64_t all = caps_of(0).permitted;
  expect_ok(SYS3(setresuid, -1, 1000, -1));
  expect_value(caps_of(0).effective, 0, "effective with euid 1000");
  expect_value(caps_of(0).permitted, all, "permitted with euid 1000");
  expect_ok(SYS3(setresuid, -1, 0, -1));
  expect_value(caps_of(0).effective, all, "effective with euid 0");
  expect_ok(SYS3(setresuid, 1000, 1000, 1000));
  expect_value(caps_of(0).permitted, 0, "permitted without uid 0");
}

CASE(keepcaps, "PR_SET_KEEPCAPS keeps permitted over the change, not effective") {
  uint64_t all = caps_of(0).permitted;
  expect_ok(SYS2(prctl, PR_SET_KEEPCAPS, 1));
  expect_value(SYS1(prctl, PR_GET_KEEPCAPS), 1, "PR_GET_KEEPCAPS");
  expect_ok(SYS3(setresuid, 1000, 1000, 1000));
  expect_value(caps_of(0).permitted, all, "permitted");
  expect_value(caps_of(0).effective, 0, "effective");
  expect_ok(set_caps((struct caps){1 << CAP_KILL, all, 0}));
  expect_value(caps_of(0).effective, 1 << CAP_KILL, "effective after capset");
  expect_error(EINVAL, SYS2(prctl, PR_SET_KEEPCAPS, 2));
}

CASE(no_setuid_fixup, "with SECBIT_NO_SETUID_FIXUP a change of uid changes no capabilities") {
  struct caps before = caps_of(0);
  expect_ok(SYS2(prctl, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
  expect_ok(SYS3(setresuid, 1000, 1000, 1000));
  expect_value(caps_of(0).effective, before.effective, "effective");
  expect_value(caps_of(0).permitted, before.permitted, "permitted");
}

CASE(securebits, "securebits are read and set with CAP_SETPCAP, and a locked one stays") {
  expect_value(SYS1(prctl, PR_GET_SECUREBITS), 0, "at first");
  expect_ok(SYS2(prctl, PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED));
  expect_value(SYS1(prctl, PR_GET_SECUREBITS), SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, "afterwards");
  expect_error(EPERM, SYS2(prctl, PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED));
  expect_error(EPERM, SYS2(prctl, PR_SET_SECUREBITS, 0));
  expect_error(EPERM, SYS2(prctl, PR_SET_SECUREBITS, 0x10000));
  drop_capability(CAP_SETPCAP);
  expect_error(EPERM, SYS2(prctl, PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED));
}

CASE(keepcaps_locked, "with SECBIT_KEEP_CAPS_LOCKED PR_SET_KEEPCAPS gives EPERM") {
  expect_ok(SYS2(prctl, PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED));
  expect_error(EPERM, SYS2(prctl, PR_SET_KEEPCAPS, 1));
}

CASE(capset_rules, "capset may drop, and add to effective from permitted; permitted never grows: EPERM") {
  expect_ok(set_caps((struct caps){1 << CAP_KILL, 1 << CAP_KILL | 1 << CAP_CHOWN, 0}));
  expect_ok(set_caps((struct caps){1 << CAP_CHOWN, 1 << CAP_KILL | 1 << CAP_CHOWN, 0}));
  expect_error(EPERM, set_caps((struct caps){1 << CAP_SETUID, 1 << CAP_KILL, 0}));
  expect_error(EPERM, set_caps((struct caps){0, 1 << CAP_SETUID, 0}));
  expect_error(EPERM, set_caps((struct caps){1 << CAP_CHOWN, 1 << CAP_KILL, 0}));
  expect_ok(set_caps((struct caps){0, 1 << CAP_KILL, 1 << CAP_KILL}));
  expect_error(EPERM, set_caps((struct caps){0, 1 << CAP_KILL, 1 << CAP_KILL | 1 << CAP_CHOWN}));
  expect_ok(set_caps((struct caps){0, 0, 0}));
}

CASE(cap_versions, "capget tells the kernel's version for an unknown one: EINVAL, or 0 when no data is wanted") {
  struct cap_header header = {0x12345678, 0};
  struct cap_data data[2];
  expect_error(EINVAL, SYS2(capget, &header, data));
  expect_value(header.version, _LINUX_CAPABILITY_VERSION_3, "the version");
  header.version = 0x12345678;
  expect_ok(SYS2(capget, &header, 0));
  header = (struct cap_header){_LINUX_CAPABILITY_VERSION_3, free_pid()};
  expect_error(ESRCH, SYS2(capget, &header, data));
  header.pid = -1;
  expect_error(EINVAL, SYS2(capget, &header, data));
  header.pid = (int)sys_getppid();
  expect_error(EPERM, SYS2(capset, &header, data));
  expect_error(EFAULT, SYS2(capget, 8, data));
}

CASE(capget_other, "capget reads another process's capabilities") {
  struct held held = hold_fork();
  expect_value(caps_of((int)held.pid).permitted, caps_of(0).permitted, "permitted");
  release(&held);
}

CASE(bounding, "PR_CAPBSET_DROP needs CAP_SETPCAP and takes one out for good") {
  expect_value(SYS2(prctl, PR_CAPBSET_READ, CAP_KILL), 1, "at first");
  expect_ok(SYS2(prctl, PR_CAPBSET_DROP, CAP_KILL));
  expect_value(SYS2(prctl, PR_CAPBSET_READ, CAP_KILL), 0, "afterwards");
  expect((caps_of(0).permitted & 1 << CAP_KILL) != 0, "permitted has lost it too");
  expect_error(EINVAL, SYS2(prctl, PR_CAPBSET_READ, 64));
  expect_error(EINVAL, SYS2(prctl, PR_CAPBSET_DROP, 64));
  drop_capability(CAP_SETPCAP);
  expect_error(EPERM, SYS2(prctl, PR_CAPBSET_DROP, CAP_CHOWN));
}

CASE(ambient_rules, "an ambient capability must be permitted and inheritable, and goes when it is no longer either") {
  struct caps caps = caps_of(0);
  expect_error(EPERM, SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  caps.inheritable = 1 << CAP_KILL | 1 << CAP_CHOWN;
  expect_ok(set_caps(caps));
  expect_ok(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  expect_ok(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
  expect_value(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 1, "IS_SET");
  expect_ok(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_KILL, 0, 0));
  expect_value(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0, "IS_SET after LOWER");
  caps.inheritable = 0;
  expect_ok(set_caps(caps));
  expect_value(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0, "IS_SET without inheritable");
  expect_ok(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  expect_error(EINVAL, SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 64, 0, 0));
  expect_error(EINVAL, SYS5(prctl, PR_CAP_AMBIENT, 9, 0, 0, 0));
}

CASE(ambient_leaves_root, "leaving uid 0 clears the ambient set, even with keepcaps") {
  struct caps caps = caps_of(0);
  caps.inheritable = 1 << CAP_KILL;
  expect_ok(set_caps(caps));
  expect_ok(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  expect_ok(SYS2(prctl, PR_SET_KEEPCAPS, 1));
  expect_ok(SYS3(setresuid, 1000, 1000, 1000));
  expect_value(SYS5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0, "IS_SET");
}

CASE(in_status, "Uid, Gid, CapEff, CapBnd and NoNewPrivs in /proc/self/status say what is the case") {
  struct caps caps = caps_of(0);
  expect_value(status_number("self", "CapEff", 16), caps.effective, "CapEff");
  expect_value(status_number("self", "CapPrm", 16), caps.permitted, "CapPrm");
  expect_value(status_number("self", "NoNewPrivs", 10), 0, "NoNewPrivs");
  expect_ok(SYS5(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  expect_value(status_number("self", "NoNewPrivs", 10), 1, "NoNewPrivs");
  expect_ok(SYS3(setresuid, 1000, 1000, 1000));
  expect_value(status_number("self", "Uid", 10), 1000, "Uid");
  expect_value(status_number("self", "CapEff", 16), 0, "CapEff");
}

CASE(no_new_privs_rules, "no_new_privs is inherited and cannot be taken back") {
  expect_error(EINVAL, SYS5(prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  expect_error(EINVAL, SYS5(prctl, PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
  expect_ok(SYS5(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  IN_CHILD expect_value(SYS5(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1, "in the child");
}

CASE(dumpable, "a change of the effective uid clears dumpable") {
  expect_value(SYS1(prctl, PR_GET_DUMPABLE), 1, "at first");
  expect_ok(SYS3(setresuid, -1, 1000, -1));
  expect(SYS1(prctl, PR_GET_DUMPABLE) != 1, "dumpable after a change of the effective uid");
  expect_ok(SYS2(prctl, PR_SET_DUMPABLE, 1));
  expect_error(EINVAL, SYS2(prctl, PR_SET_DUMPABLE, 2));
}

MAIN("process.credentials")
