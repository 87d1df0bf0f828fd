/* Numbers and structures of Linux that the tables in abi/ do not give to guest programs. Names are Linux's own. */
#ifndef CONFORMANCE_CONSTANTS_H
#define CONFORMANCE_CONSTANTS_H

#include "sys.h"
#include "text.h"

/* si_code */
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_TKILL (-6)
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_TRAPPED 4
#define CLD_STOPPED 5
#define CLD_CONTINUED 6
#define BUS_ADRALN 1
#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define FPE_FLTDIV 3

#define SIGRTMIN 32
#define SIGRTMAX 64
#define NSIG 64
#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM 0x80000000U
#define MINSIGSTKSZ 2048

#define CORE_FLAG 0x80
#define WCOREDUMP(status) ((status) & CORE_FLAG)
#define WIFCONTINUED(status) ((status) == 0xffff)

#define POLLPRI 2
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 16
#define POLLNVAL 32
#define EPOLLIN 1
#define EPOLL_CTL_ADD 1

#define RLIMIT_CPU 0
#define RLIMIT_FSIZE 1
#define RLIMIT_DATA 2
#define RLIMIT_STACK 3
#define RLIMIT_CORE 4
#define RLIMIT_RSS 5
#define RLIMIT_NOFILE 7
#define RLIMIT_MEMLOCK 8
#define RLIMIT_AS 9
#define RLIMIT_SIGPENDING 11
#define RLIMIT_NICE 13
#define RLIM_INFINITY (~0UL)

#define CAP_CHOWN 0
#define CAP_DAC_OVERRIDE 1
#define CAP_KILL 5
#define CAP_SETGID 6
#define CAP_SETUID 7
#define CAP_SETPCAP 8
#define CAP_NET_RAW 13
#define CAP_SYS_CHROOT 18
#define CAP_SYS_PTRACE 19
#define CAP_SYS_NICE 23
#define CAP_SYS_RESOURCE 24
#define CAP_SYS_TIME 25

#define SECBIT_NOROOT 1
#define SECBIT_NOROOT_LOCKED 2
#define SECBIT_NO_SETUID_FIXUP 4
#define SECBIT_KEEP_CAPS 0x10
#define SECBIT_KEEP_CAPS_LOCKED 0x20
#define PR_CAP_AMBIENT_IS_SET 1
#define PR_CAP_AMBIENT_RAISE 2
#define PR_CAP_AMBIENT_LOWER 3
#define PR_CAP_AMBIENT_CLEAR_ALL 4

#define AT_NULL 0
#define AT_PHDR 3
#define AT_PHENT 4
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_BASE 7
#define AT_FLAGS 8
#define AT_ENTRY 9
#define AT_UID 11
#define AT_EUID 12
#define AT_GID 13
#define AT_EGID 14
#define AT_PLATFORM 15
#define AT_CLKTCK 17
#define AT_SECURE 23
#define AT_RANDOM 25
#define AT_EXECFN 31
#define AT_MINSIGSTKSZ 51

#define SCHED_OTHER 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#define SCHED_BATCH 3
#define SCHED_IDLE 5
#define PRIO_PROCESS 0
#define PRIO_PGRP 1
#define PRIO_USER 2

#define ITIMER_REAL 0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF 2
#define TIMER_ABSTIME 1
#define TFD_TIMER_ABSTIME 1
#define TFD_NONBLOCK O_NONBLOCK
#define TFD_CLOEXEC O_CLOEXEC
#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2
#define SIGEV_THREAD_ID 4
#define SFD_NONBLOCK O_NONBLOCK
#define SFD_CLOEXEC O_CLOEXEC

#define RUSAGE_SELF 0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD 1
#define GRND_NONBLOCK 1
#define KCMP_FILE 0
#define KCMP_VM 1
#define KCMP_FILES 2
#define KCMP_FS 3
#define KCMP_SIGHAND 4
#define KCMP_TYPES 8
#define MEMBARRIER_CMD_QUERY 0
#define MEMBARRIER_CMD_GLOBAL 1
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED 8
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED 16
#define ADDR_NO_RANDOMIZE 0x0040000
#define READ_IMPLIES_EXEC 0x0400000
#define AT_EACCESS 0x200
#define AF_UNIX 1
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define LOCK_EX 2
#define LOCK_UN 8
#define PIDFD_NONBLOCK O_NONBLOCK
#define MS_REC 0x4000
#define MS_PRIVATE 0x40000
#define TIOCNOTTY 0x5422

#define FUTEX_WAITERS 0x80000000U
#define FUTEX_OWNER_DIED 0x40000000U
#define FUTEX_TID_MASK 0x3fffffffU
#define FUTEX_OP_SET 0
#define FUTEX_OP_ADD 1
#define FUTEX_OP_OR 2
#define FUTEX_OP_ANDN 3
#define FUTEX_OP_XOR 4
#define FUTEX_OP_OPARG_SHIFT 8
#define FUTEX_OP_CMP_EQ 0
#define FUTEX_OP_CMP_NE 1
#define FUTEX_OP_CMP_LT 2
#define FUTEX_OP_CMP_LE 3
#define FUTEX_OP_CMP_GT 4
#define FUTEX_OP_CMP_GE 5
#define FUTEX_OP(op, oparg, cmp, cmparg) \
  (((unsigned)(op) << 28) | ((unsigned)(cmp) << 24) | (((unsigned)(oparg) & 0xfff) << 12) | ((unsigned)(cmparg) & 0xfff))
#define FUTEX2_SIZE_U32 2
#define FUTEX2_PRIVATE 128

struct timeval {
  int64_t tv_sec, tv_usec;
};
struct itimerval {
  struct timeval it_interval, it_value;
};
struct itimerspec {
  struct timespec it_interval, it_value;
};
struct sigevent {
  uint64_t sigev_value;
  int32_t sigev_signo, sigev_notify, sigev_notify_thread_id, pad[11];
};
_Static_assert(sizeof(struct sigevent) == 64, "sigevent");
struct rusage {
  struct timeval ru_utime, ru_stime;
  int64_t ru_maxrss, ru_ixrss, ru_idrss, ru_isrss, ru_minflt, ru_majflt, ru_nswap, ru_inblock, ru_oublock, ru_msgsnd,
      ru_msgrcv, ru_nsignals, ru_nvcsw, ru_nivcsw;
};
struct utsname {
  char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};
struct iovec {
  void *iov_base;
  size_t iov_len;
};
struct epoll_event {
  uint32_t events;
  uint64_t data;
} __attribute__((packed));
struct signalfd_siginfo {
  uint32_t ssi_signo;
  int32_t ssi_errno, ssi_code;
  uint32_t ssi_pid, ssi_uid;
  int32_t ssi_fd;
  uint32_t ssi_tid, ssi_band, ssi_overrun, ssi_trapno;
  int32_t ssi_status, ssi_int;
  uint64_t ssi_ptr, ssi_utime, ssi_stime, ssi_addr;
  uint8_t pad[48];
};
_Static_assert(sizeof(struct signalfd_siginfo) == 128, "signalfd_siginfo");
struct robust_list {
  struct robust_list *next;
};
struct robust_list_head {
  struct robust_list list;
  int64_t futex_offset;
  struct robust_list *list_op_pending;
};
struct futex_waitv {
  uint64_t val, uaddr;
  uint32_t flags, reserved;
};
struct sched_attr {
  uint32_t size, sched_policy;
  uint64_t sched_flags;
  int32_t sched_nice;
  uint32_t sched_priority;
  uint64_t sched_runtime, sched_deadline, sched_period;
};

/* siginfo_t's further members. Queued signals and timers: si_value. */
static inline uint64_t si_value(const struct siginfo *info) {
  uint64_t value;
  memcpy(&value, info->rest + 8, 8);
  return value;
}
static inline void set_si_value(struct siginfo *info, uint64_t value) { memcpy(info->rest + 8, &value, 8); }
static inline int si_timerid(const struct siginfo *info) { return info->si_pid; }
static inline int si_overrun(const struct siginfo *info) { return info->si_uid; }

/* The part of the signal frame's ucontext_t behind the general registers. */
struct ucontext_rest {
  uint16_t cs, gs, fs, ss;
  uint64_t err, trapno, oldmask, cr2;
  uint8_t *fpstate;
  uint64_t reserved[8], sigmask;
};
static inline struct ucontext_rest *rest_of(struct ucontext *context) { return (struct ucontext_rest *)(context + 1); }
_Static_assert(sizeof(struct ucontext) == 184, "ucontext up to the flags");
_Static_assert(offsetof(struct ucontext_rest, sigmask) == 296 - 184, "the mask in ucontext_t");

#endif
