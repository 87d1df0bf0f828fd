/* What a program must know about Linux on x86-64 when it has no C library. The numbers of system calls, flags, errno values and
 * signals, and the structures of the clone family, come from the tables in abi/; here is what those tables do not have.
 * Names are Linux's own, so that a word found in a man page is found here. */
#ifndef GUEST_LINUX_H
#define GUEST_LINUX_H

#include <stddef.h>
#include <stdint.h>

#include "generated/trapgate-abi.h"

/* Why a signal was sent (si_code). */
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRERR 2
#define FPE_INTDIV 1
#define ILL_ILLOPN 2
#define CLD_EXITED 1

/* Memory. User addresses end one page below the middle of the address space. */
#define PAGE_SIZE 4096UL
#define TASK_SIZE_MAX 0x00007ffffffff000UL

/* poll, setrlimit, capset, ptrace. */
#define POLLIN 1
#define RLIMIT_NPROC 6
#define CAP_SYS_ADMIN 21
#define CAP_CHECKPOINT_RESTORE 40
#define _LINUX_CAPABILITY_VERSION_3 0x20080522
#define PTRACE_TRACEME 0
#define PTRACE_CONT 7
#define PTRACE_SETOPTIONS 0x4200
#define PTRACE_GETEVENTMSG 0x4201
#define PTRACE_O_TRACEFORK 2
#define PTRACE_O_TRACEVFORK 4
#define PTRACE_O_TRACECLONE 8
#define PTRACE_O_EXITKILL 0x00100000
#define PTRACE_EVENT_FORK 1
#define PTRACE_EVENT_VFORK 2
#define PTRACE_EVENT_CLONE 3

struct timespec {
  int64_t tv_sec, tv_nsec;
};

struct kernel_sigaction {
  uint64_t handler, flags, restorer, mask;
};

/* siginfo_t, cut to the fields our guests look at: senders use si_pid, faults use si_addr, waitid uses si_pid and si_status. */
struct siginfo {
  int32_t si_signo, si_errno, si_code, pad;
  union {
    struct {
      int32_t si_pid, si_uid, si_status;
    };
    uint64_t si_addr;
    uint8_t rest[112];
  };
};
_Static_assert(sizeof(struct siginfo) == 128, "siginfo_t is 128 bytes");

struct stack_description {
  uint64_t ss_sp;
  int32_t ss_flags, pad;
  uint64_t ss_size;
};

/* ucontext_t up to the general registers, in the order in which the kernel saves them. */
struct ucontext {
  uint64_t flags, link;
  struct stack_description stack;
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
};

struct rlimit {
  uint64_t rlim_cur, rlim_max;
};

struct pollfd {
  int32_t fd;
  int16_t events, revents;
};

struct dirent64 {
  uint64_t d_ino, d_off;
  uint16_t d_reclen;
  uint8_t d_type;
  char d_name[];
};

struct cap_header {
  uint32_t version;
  int32_t pid;
};
struct cap_data {
  uint32_t effective, permitted, inheritable;
};

/* Wait status, as wait4() stores it. */
#define WIFEXITED(status) (((status) & 0x7f) == 0)
#define WEXITSTATUS(status) (((status) >> 8) & 0xff)
#define WTERMSIG(status) ((status) & 0x7f)
#define WIFSIGNALED(status) ((((status) & 0x7f) + 1) >> 1 > 0)
#define WIFSTOPPED(status) (((status) & 0xff) == 0x7f)
#define WSTOPSIG(status) WEXITSTATUS(status)

#endif
