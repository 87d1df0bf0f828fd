/* One emulated processor: everything it needs is in this struct, so any number of them live side by side. */
#ifndef TRAPGATE_ENGINE_H
#define TRAPGATE_ENGINE_H

#include "unicorn-api.h"

/* The engine's part of the shared register buffer (emulator/registers.ts); unicorn-engine.ts has the same layout. */
typedef struct {
  uint64_t general[16];
  uint64_t rip, rflags, fs_base, gs_base;
  uint32_t stop_kind, stop_vector;
  uint64_t stop_address;
  uint32_t stop_error_code, stop_executed;
  uint32_t root;           /* physical address of the PML4 to run in */
  uint32_t root_pending;   /* non-zero: CR3 is to be written, which also flushes the TLB */
  uint32_t reserved[16];
  uint8_t fxsave[512];
} shared_state;
_Static_assert(offsetof(shared_state, stop_kind) == 160 && offsetof(shared_state, fxsave) == 256, "registers.ts");

/* Values of engine.ts. */
enum { STOP_SYSCALL = 0, STOP_FAULT = 1, STOP_TRAP = 2, STOP_BUDGET = 3, STOP_HALT = 4, STOP_NONE = 255 };
enum { VECTOR_DE = 0, VECTOR_DB = 1, VECTOR_BP = 3, VECTOR_OF = 4, VECTOR_UD = 6, VECTOR_GP = 13, VECTOR_PF = 14 };

/* RAX … R15, RFLAGS, FS base, GS base; RIP apart because uc_emu_start takes it. */
enum { BATCH_FLAGS = 16, BATCH_FS, BATCH_GS, BATCH_WRITE_COUNT, BATCH_RIP = BATCH_WRITE_COUNT, BATCH_READ_COUNT };

typedef struct {
  unicorn_api api;
  uc_engine *uc;
  shared_state *shared;
  uint8_t *ram;
  uint64_t ram_size;

  /* What the hooks of the current run found. */
  uint32_t exit_kind, exit_vector;
  uint64_t exit_address;
  uint32_t budget_left; /* blocks until the current piece of the run ends */
  uint32_t budget_cut;  /* blocks taken off it to end it early */
  uint32_t unclassified; /* the exit came through the INTR hook: fault or trap is still to be told apart */
  bool registers_published; /* a hook has put the registers into the shared buffer already */

  uint64_t registers[BATCH_READ_COUNT]; /* what Unicorn holds, to write only what the kernel changed */
  void *register_pointers[BATCH_READ_COUNT];

  /* Slots of the CPU structure that Unicorn's interface does not show, as offsets into a uc_context (boot.c). */
  uc_context *context;
  size_t context_size, error_code_slot, old_exception_slot, is_int_slot;
  /* Where the structure itself is, such that live + slot is the field; NULL when it was not found (direct.c). */
  uint8_t *live;
  size_t general_slot, fs_slot, gs_slot;

  uint64_t home_root;      /* a PML4 with the supervisor entry only */
  uint64_t *supervisor_pt; /* the page table behind it */
  uint32_t scratch_page;     /* the last one used while CR3 is home_root; 0: CR3 is the kernel's */
  uint32_t blocks_since_flush;
  uint64_t translated_bytes; /* in the translation buffer, estimated */
  uint32_t longest_block;    /* instructions in the longest block translated so far */
  bool bounded_blocks;       /* guest code cannot crash the translator (guard.c) */
} engine;

/*
 * Unicorn 2.1.1 runs wrong when its translation buffer overflows by itself (trap 4), so the buffer is flushed before.
 * The first flush touches all of it (1 GiB, the default, takes seconds), hence this size.
 */
enum { TRANSLATION_BUFFER = 256 << 20, TRANSLATION_LIMIT = TRANSLATION_BUFFER / 20 * 19 };
/* Generous estimates of the native code for a block and for each of its instructions (measured: up to 231 each). */
enum { BLOCK_BYTES = 350, INSTRUCTION_BYTES = 240 };

/* Pages of the supervisor area at PML4 index 511, as indexes into its page table. */
enum { PAGE_GDT = 0, PAGE_STUB, PAGE_USER, PAGE_ABSENT, PAGE_SCRATCH, PAGE_END = 512 };
#define SUPERVISOR_BASE 0xffffff8000000000ull
#define SUPERVISOR_PAGE(index) (SUPERVISOR_BASE + (uint64_t)(index) * 4096)

enum { PTE_P = 1, PTE_RW = 2, PTE_US = 4, PTE_A = 32, PTE_D = 64 };

/* Frames the engine needs, given by JavaScript in this order; the last two only during start-up. */
enum { FRAME_HOME, FRAME_PDPT, FRAME_PD, FRAME_PT, FRAME_GDT, FRAME_STUB, FRAME_USER, FRAME_COUNT };

/* Opens the processor and brings it to CPL 3. On failure returns false with the reason in message. */
bool engine_open(engine *e, const uint32_t frames[FRAME_COUNT], bool direct, char *message, size_t message_size);
void engine_close(engine *e);

/* boot.c: called by engine_open once the hooks are there. */
bool engine_boot(engine *e, const uint32_t frames[FRAME_COUNT], char *message, size_t message_size);

/* direct.c: sets live when it can. Destroys the general registers. */
void engine_find_state(engine *e);

/* Executes up to budget blocks. Returns the stop kind, or -1 with the reason in message. */
int engine_run(engine *e, uint32_t budget, char *message, size_t message_size);
/* Reads what Unicorn holds into registers; copies registers to the shared buffer. */
void engine_read_batch(engine *e);
void engine_publish_registers(engine *e);
/* odd-faults.c: turn an IN or OUT into #GP and a SYSENTER into #UD; called in the hooks. */
void engine_io_fault(engine *e, uint32_t port, int size, bool out);
void engine_sysenter_fault(engine *e);
void engine_write_root(engine *e, uint64_t root);

void engine_invalidate_frame(engine *e, uint32_t pfn);
void engine_store_fpu(engine *e);
void engine_load_fpu(engine *e);

#endif
