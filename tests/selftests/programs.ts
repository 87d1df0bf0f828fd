/**
 * The kernel selftests that are run, as in the Makefiles of Linux 6.1: what each is linked with and how it is called.
 * Those of `timers` that set the host's clock are in its Makefile's list of destructive tests and are left out.
 */

export interface Selftest {
  /** Folder below tools/testing/selftests. */
  readonly directory: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Takes longer than the tests of every day should. */
  readonly slow: boolean;
  /** It measures how late it is woken, so that a busy host would decide: the machine runs it on its virtual clock. */
  readonly measuresTime: boolean;
}

/** Flags of the Makefile of a directory; `{caps}` stands for what clone3 needs of libcap. */
export const BUILD_FLAGS: Readonly<Record<string, readonly string[]>> = {
  clone3: ["-g", "-std=gnu99", "-D_GNU_SOURCE=", "{caps}"],
  pid_namespace: ["-g", "-D_GNU_SOURCE="],
  pidfd: ["-g", "-D_GNU_SOURCE=", "-pthread"],
  "futex/functional": ["-g", "-O2", "-D_GNU_SOURCE=", "-pthread", "-I../include", "-I../..", "-lpthread", "-lrt"],
  sigaltstack: [],
  timers: ["-O3", "-D_GNU_SOURCE=", "-Wl,-no-as-needed", "-lrt", "-lpthread", "-lm"],
};

interface Choice {
  args?: string;
  slow?: boolean;
  measuresTime?: boolean;
}

const test = (directory: string, program: string, { args = "", slow, measuresTime }: Choice = {}): Selftest => ({
  directory,
  program,
  args: args === "" ? [] : args.split(" "),
  slow: slow ?? false,
  measuresTime: measuresTime ?? false,
});

/** The calls of futex_requeue_pi in futex/functional/run.sh, each once. */
const REQUEUE_PI = ["", "-b", "-b -l", "-b -o", "-l", "-o"].concat(
  ["-b -l", "-l", "-b", "", "-b -o"].flatMap((args) => [`${args} -t 5000`.trim(), `${args} -t 500000`.trim()]),
  ["-b -l -t 2000000000", "-l -t 2000000000"],
);

const FUTEX = [
  "futex_requeue_pi_mismatched_ops",
  "futex_requeue_pi_signal_restart",
  "futex_wait_timeout",
  "futex_wait_wouldblock",
  "futex_wait_uninitialized_heap",
  "futex_wait_private_mapped_file",
  "futex_wait",
  "futex_requeue",
  "futex_waitv",
];

export const SELFTESTS: readonly Selftest[] = [
  test("clone3", "clone3"),
  test("clone3", "clone3_clear_sighand"),
  test("clone3", "clone3_set_tid"),
  test("clone3", "clone3_cap_checkpoint_restore"),
  test("pid_namespace", "regression_enomem"),
  // Forks its way around all pids, and sleeps.
  test("pidfd", "pidfd_test", { slow: true }),
  test("pidfd", "pidfd_fdinfo_test"),
  test("pidfd", "pidfd_open_test"),
  test("pidfd", "pidfd_poll_test", { slow: true }),
  test("pidfd", "pidfd_wait"),
  test("pidfd", "pidfd_getfd_test"),
  test("pidfd", "pidfd_setns_test"),
  ...REQUEUE_PI.map((args) => test("futex/functional", "futex_requeue_pi", { args, slow: args.includes("-t") })),
  ...FUTEX.map((program) => test("futex/functional", program)),
  test("sigaltstack", "sas"),
  test("timers", "posix_timers", { slow: true }),
  test("timers", "nanosleep", { slow: true }),
  test("timers", "nsleep-lat", { slow: true, measuresTime: true }),
  test("timers", "set-timer-lat", { slow: true, measuresTime: true }),
  test("timers", "mqueue-lat", { slow: true, measuresTime: true }),
  test("timers", "inconsistency-check", { args: "-t 1", slow: true }),
  test("timers", "raw_skew", { slow: true, measuresTime: true }),
  test("timers", "threadtest", { args: "-t 2 -n 4", slow: true }),
  test("timers", "rtcpie", { slow: true }),
];

/** Directory, program and arguments, as reports and the list of differences call it. */
export const nameOf = ({ directory, program, args }: Selftest): string =>
  [`${directory}/${program}`, ...args].join(" ");
