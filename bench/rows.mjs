/**
 * What is measured. A row with `base` runs build/guests/bench/PROGRAM with N and 2N iterations and divides the difference
 * by N, so that start-up does not count; one without is a whole run. `lacks` names systems that cannot run the program.
 */

/** Time of one iteration: `base` is the N to start from, doubled until a run is long enough to be measured. */
export const rows = [
  {
    name: "getpid",
    program: "getpid",
    unit: "µs",
    base: 20000,
    goal: 1,
    why: "one crossing from machine code to JavaScript and back; qemu-user stays in C and asks the host's kernel",
  },
  {
    name: "write 64 bytes to /dev/null",
    program: "write-null",
    unit: "µs",
    base: 20000,
    why: "the crossing, a descriptor look-up and the copy from guest memory",
  },
  {
    name: "demand fault",
    program: "demand-fault",
    unit: "µs",
    base: 8192,
    goal: 5,
    why: "the fault leaves the engine, the kernel zeroes a frame and writes the page table; under qemu-user the host does it",
  },
  {
    name: "fork + exit + wait",
    program: "fork",
    unit: "µs",
    base: 200,
    goal: 150,
    why: "an object graph and page tables are copied; under qemu-user the host copies a whole emulator",
  },
  {
    name: "vfork + exec + wait",
    program: "vfork-exec",
    unit: "µs",
    base: 100,
    why: "a new address space and an ELF file; under qemu-user the host's kernel runs the new program without qemu, hence natively",
  },
  {
    name: "pipe ping-pong, one hop",
    program: "pipe-ping-pong",
    unit: "µs",
    base: 5000,
    per: 2,
    goal: 4,
    why: "a context switch of ours exchanges registers and CR3; the host's scheduler wakes another processor",
  },
  {
    name: "integer loop, 1000 steps",
    program: "integer",
    unit: "µs",
    base: 2_000_000,
    per: 0.001,
    why: "translated code in one block: the same translator as qemu's, an older version",
  },
  {
    name: "sieve to 65536",
    program: "sieve",
    unit: "µs",
    base: 200,
    why: "stores through a software TLB; qemu-user adds a constant to every address instead",
  },
  {
    name: "sort of 16384 numbers",
    program: "sort",
    unit: "µs",
    base: 50,
    why: "loads through the software TLB and branches that are looked up",
  },
  {
    name: "thread create + join",
    program: "thread-create",
    unit: "µs",
    base: 500,
    why: "a task object and two context switches; the host wakes another processor for it, and qemu-user makes a CPU of its own",
  },
  {
    name: "mutex, uncontended",
    program: "mutex",
    unit: "µs",
    base: 200_000,
    why: "two atomic instructions, and no system call",
  },
  {
    name: "mutex, 4 threads contend",
    program: "mutex-contended",
    unit: "µs",
    base: 40_000,
    why: "a thread of ours is alone for its time slice and seldom meets another; on the host they fight over a cache line",
  },
  {
    name: "futex ping-pong, one hop",
    program: "futex-ping-pong",
    unit: "µs",
    base: 5000,
    per: 2,
    why: "two system calls and a context switch; the host wakes another processor",
  },
  {
    name: "signal: kill, handler, sigreturn",
    program: "signal",
    unit: "µs",
    base: 5000,
    why: "a frame of 952 bytes is written and read back, and the FPU's state fetched from the emulator",
  },
  {
    name: "fork + wait with 100 MB",
    program: "fork-large",
    unit: "µs",
    base: 2,
    why: "25,600 page-table entries are copied and as many reference counts raised and dropped, which the host does as well",
  },
  {
    name: "fork in nested pid namespaces, pids chosen",
    program: "fork-nested",
    unit: "µs",
    base: 200,
    lacks: ["qemu-user"],
    why: "as fork; qemu-user has no clone3",
  },
  {
    name: "1,000 live processes in a ring, one hop",
    program: "process-ring",
    unit: "µs",
    base: 2,
    per: 1000,
    why: "the pipe's context switch, each time to an address space that the emulator's TLB has nothing of",
  },
];

export const HELLO_WHY = "most of it is Node's own start; then the kernel's tables and the processor of libunicorn";
export const OWN_START_WHY = "reading the bundle, loading libunicorn, booting, running, leaving";
export const GZIP_WHY =
  "compression is loads and stores in tables: the software TLB once more, and 20 MB through write(2)";
