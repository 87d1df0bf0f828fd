/* What the cases do with processes, privileges, namespaces and memory. */
#ifndef CONFORMANCE_FAMILY_H
#define CONFORMANCE_FAMILY_H

#include "tap.h"

/* --- processes ------------------------------------------------------------------------------------------------------ */

/* Waits for exactly this child, of whatever kind, and gives its wait status. */
int reap(long pid);
/* The same, and the child must have exited with 0. */
void reap_good(long pid);
/* Waits until the child is a zombie, and leaves it one. */
void wait_for_zombie(long pid);
/* Kills all children of this process (in the namespace of the mounted /proc and deeper); does not wait for them. */
void kill_children(void);
/* A pid that was used a moment ago and is free now: nobody will be given it by itself for a long time. */
int free_pid(void);
/* A free pid far ahead of the automatic sequence. */
int far_free_pid(void);
/* Is there a task, living or zombie, with this pid in the caller's namespace? */
int pid_exists(long pid);
/* Fills in what the calling task knows about itself. */
void report(struct facts *facts);
/* Names the pids of every level, for messages: "1400 2400 3400". */
const char *nspid_text(const struct facts *facts);
/* Compares the last `count` levels of the NSpid line with `wanted` (outermost first; 0 fits all). */
void expect_nspid(int line, const struct facts *facts, const int *wanted, int count);
#define expect_pids(facts, ...)                                                        \
  expect_nspid(__LINE__, facts, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* Block in braces that runs in a child; the parent goes on when the child is done, and the case fails if it did not end
 * with status 0:   IN_CHILD { ... }   AS_UNPRIVILEGED { ... }   IN_NEW_PID_NS(2) { ... } */
#define IN_CHILD for (long child_ = fork_and_wait(); child_ == 0; sys_exit_group(0))
long fork_and_wait(void);
/* The block runs as uid and gid 1000 without capabilities. */
#define AS_UNPRIVILEGED IN_CHILD if (become_unprivileged(1000))
/* The block runs as pid 1 of a pid namespace `depth` levels further in. */
#define IN_NEW_PID_NS(depth) for (long child_ = enter_pid_ns(depth); child_ == 0; sys_exit_group(0))
long enter_pid_ns(int depth);

/* A child that lives until it is released. */
struct held {
  long pid;
  int release_fd;
};
/* The child's half: waits for the release and exits with 0. */
void wait_for_release(int fd) __attribute__((noreturn));
/* Lets the child exit and reaps it. */
void release(struct held *held);
/* An ordinary fork, held. */
struct held hold_fork(void);

/* --- privileges ----------------------------------------------------------------------------------------------------- */

/* Changes to this uid and gid, which drops all capabilities. Gives 1. */
int become_unprivileged(int uid);
/* Keeps only this capability (effective and permitted); -1 keeps none. */
void keep_only_capability(int capability);
/* Gives up only this capability. */
void drop_capability(int capability);

/* --- memory --------------------------------------------------------------------------------------------------------- */

/* Writable pages below 4 GiB. */
char *low_memory(size_t size);
/* The address behind `pages` writable pages, where an unmapped page begins. */
char *guard(int pages);
/* The top of a fresh stack, 16-byte aligned. Below 4 GiB. */
char *new_stack(void);

/* --- files ---------------------------------------------------------------------------------------------------------- */

long read_number(const char *path);
long write_number(const char *path, long value);
/* Sets the pid_max of the caller's namespace; in the outermost one it is put back after the case. */
void set_pid_max(int value);
int count_open_files(void);
int count_lines(const char *path);
int count_processes(void);

#endif
