import { enumSet, flagSet } from "./flags.ts";
import { i16, i32, i64, pad, shown, struct, u16, u32, u64 } from "./layout.ts";

// svipc(7)
export const IPC_PRIVATE = 0;
export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;
export const IPC_NOWAIT = 0o4000;
export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_INFO = 3;
/** Old callers add this to the command; x86-64 ignores it. */
export const IPC_64 = 0x100;
export const SHM_HUGETLB = 0o4000;
export const SHM_NORESERVE = 0o10000;
export const shmgetFlags = flagSet(
  "shmget flags",
  { IPC_CREAT, IPC_EXCL, SHM_HUGETLB, SHM_NORESERVE },
  { rest: "octal" },
);
export const ipcgetFlags = flagSet("semget flags", { IPC_CREAT, IPC_EXCL }, { rest: "octal" });
export const SHM_RDONLY = 0o10000;
export const SHM_RND = 0o20000;
export const SHM_REMAP = 0o40000;
export const SHM_EXEC = 0o100000;
export const shmatFlags = flagSet("shmat flags", { SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC });
export const SHM_LOCK = 11;
export const SHM_UNLOCK = 12;
export const SHM_STAT = 13;
export const SHM_INFO = 14;
export const SHM_STAT_ANY = 15;
export const shmctlCommands = enumSet(
  "shmctl commands",
  { IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO, SHM_LOCK, SHM_UNLOCK, SHM_STAT, SHM_INFO, SHM_STAT_ANY },
  { unknown: "SHM_???" },
);
export const GETPID = 11;
export const GETVAL = 12;
export const GETALL = 13;
export const GETNCNT = 14;
export const GETZCNT = 15;
export const SETVAL = 16;
export const SETALL = 17;
export const SEM_STAT = 18;
export const SEM_INFO = 19;
export const SEM_STAT_ANY = 20;
export const semctlCommands = enumSet(
  "semctl commands",
  {
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    IPC_INFO,
    GETPID,
    GETVAL,
    GETALL,
    GETNCNT,
    GETZCNT,
    SETVAL,
    SETALL,
    SEM_STAT,
    SEM_INFO,
    SEM_STAT_ANY,
  },
  { unknown: "SEM_???" },
);
export const MSG_STAT = 11;
export const MSG_INFO = 12;
export const MSG_STAT_ANY = 13;
export const msgctlCommands = enumSet(
  "msgctl commands",
  { IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO, MSG_STAT, MSG_INFO, MSG_STAT_ANY },
  { unknown: "MSG_???" },
);
export const MSG_NOERROR = 0o10000;
export const MSG_EXCEPT = 0o20000;
export const MSG_COPY = 0o40000;
export const msgFlags = flagSet("msgrcv flags", { IPC_NOWAIT, MSG_NOERROR, MSG_EXCEPT, MSG_COPY });
export const SEM_UNDO = 0x1000;
export const semopFlags = flagSet("semop flags", { IPC_NOWAIT, SEM_UNDO });

export const ipc64_perm = struct(
  "ipc64_perm",
  {
    key: shown(i32, "hex"),
    uid: u32,
    gid: u32,
    cuid: u32,
    cgid: u32,
    mode: shown(u32, "octal"),
    seq: u16,
    __pad2: pad(2),
    __unused: pad(20),
  },
  { size: 48, align: 8, page: "svipc(7)" },
);
export const shmid64_ds = struct(
  "shmid64_ds",
  {
    shm_perm: ipc64_perm,
    shm_segsz: u64,
    shm_atime: i64,
    shm_dtime: i64,
    shm_ctime: i64,
    shm_cpid: i32,
    shm_lpid: i32,
    shm_nattch: u64,
    __unused: pad(16),
  },
  { size: 112, page: "shmctl(2)" },
);
export const semid64_ds = struct(
  "semid64_ds",
  {
    sem_perm: ipc64_perm,
    sem_otime: i64,
    __unused1: pad(8),
    sem_ctime: i64,
    __unused2: pad(8),
    sem_nsems: u64,
    __unused3: pad(16),
  },
  { size: 104, page: "semctl(2)" },
);
export const msqid64_ds = struct(
  "msqid64_ds",
  {
    msg_perm: ipc64_perm,
    msg_stime: i64,
    msg_rtime: i64,
    msg_ctime: i64,
    msg_cbytes: u64,
    msg_qnum: u64,
    msg_qbytes: u64,
    msg_lspid: i32,
    msg_lrpid: i32,
    __unused: pad(16),
  },
  { size: 120, page: "msgctl(2)" },
);
export const sembuf = struct(
  "sembuf",
  { sem_num: u16, sem_op: i16, sem_flg: shown(i16, semopFlags) },
  { size: 6, page: "semop(2)" },
);
export const mq_attr = struct(
  "mq_attr",
  { mq_flags: i64, mq_maxmsg: i64, mq_msgsize: i64, mq_curmsgs: i64, __reserved: pad(32) },
  { size: 64, page: "mq_getattr(3)" },
);
