import { flagSet } from "./flags.ts";

// eventfd(2), signalfd(2), pidfd_open(2), userfaultfd(2)
export const EFD_SEMAPHORE = 1;
export const EFD_CLOEXEC = 0o2000000;
export const EFD_NONBLOCK = 0o4000;
export const eventfdFlags = flagSet("eventfd flags", { EFD_SEMAPHORE, EFD_CLOEXEC, EFD_NONBLOCK });
export const SFD_CLOEXEC = 0o2000000;
export const SFD_NONBLOCK = 0o4000;
export const signalfdFlags = flagSet("signalfd flags", { SFD_CLOEXEC, SFD_NONBLOCK });
export const PIDFD_NONBLOCK = 0o4000;
export const PIDFD_THREAD = 0o200;
export const pidfdOpenFlags = flagSet("pidfd_open flags", { PIDFD_NONBLOCK, PIDFD_THREAD });
/** Whom pidfd_send_signal(2) means; none: what the pidfd was opened for. */
export const PIDFD_SIGNAL_THREAD = 1;
export const PIDFD_SIGNAL_THREAD_GROUP = 2;
export const PIDFD_SIGNAL_PROCESS_GROUP = 4;
export const pidfdSignalFlags = flagSet("pidfd_send_signal flags", {
  PIDFD_SIGNAL_THREAD,
  PIDFD_SIGNAL_THREAD_GROUP,
  PIDFD_SIGNAL_PROCESS_GROUP,
});
export const UFFD_USER_MODE_ONLY = 1;
export const userfaultfdFlags = flagSet("userfaultfd flags", { UFFD_USER_MODE_ONLY });
