/* Set-up of one processor: memory, hooks, and what the hooks do. */
#include "engine.h"

#include <stdio.h>
#include <string.h>

static void stop(engine *e, uint32_t kind, uint32_t vector) {
  if (e->exit_kind == STOP_NONE) {
    e->exit_kind = kind;
    e->exit_vector = vector;
  }
  e->api.emu_stop(e->uc);
}

static void on_syscall(uc_engine *uc, void *data) {
  (void)uc;
  stop(data, STOP_SYSCALL, 0);
}

static void on_interrupt(uc_engine *uc, uint32_t vector, void *data) {
  engine *e = data;
  if (e->exit_kind == STOP_NONE) {
    e->unclassified = 1;
    /* Later than here CR2 is not reliable. */
    if (vector == VECTOR_PF) e->api.reg_read(uc, UC_X86_REG_CR2, &e->exit_address);
  }
  stop(e, STOP_FAULT, vector);
}

static bool on_invalid(uc_engine *uc, void *data) {
  (void)uc;
  stop(data, STOP_FAULT, VECTOR_UD);
  return false;
}

static void on_sysenter(uc_engine *uc, void *data) {
  (void)uc;
  engine_sysenter_fault(data);
}

static uint32_t on_in(uc_engine *uc, uint32_t port, int size, void *data) {
  (void)uc;
  engine_io_fault(data, port, size, false);
  return 0;
}

static void on_out(uc_engine *uc, uint32_t port, int size, uint32_t value, void *data) {
  (void)uc, (void)value;
  engine_io_fault(data, port, size, true);
}

/* The budget, counted where it is exact: before a block, of which nothing is executed when it is stopped (trap 3). */
static void on_block(uc_engine *uc, uint64_t address, uint32_t size, void *data) {
  engine *e = data;
  (void)uc, (void)address, (void)size;
  if (e->budget_left == 0) {
    stop(e, STOP_BUDGET, 0);
    return;
  }
  e->budget_left--;
}

static void on_new_block(uc_engine *uc, const uc_tb *block, const uc_tb *previous, void *data) {
  engine *e = data;
  (void)uc, (void)previous;
  if (block->icount > e->longest_block) e->longest_block = block->icount;
  e->translated_bytes += BLOCK_BYTES + INSTRUCTION_BYTES * (uint32_t)block->icount;
  if (e->translated_bytes <= TRANSLATION_LIMIT) return;
  /* End the piece before this block, for a flush. */
  e->budget_cut += e->budget_left;
  e->budget_left = 0;
}

static int add_hooks(engine *e) {
  const struct {
    int type;
    void *callback;
    int instruction;
  } hooks[] = {
      {UC_HOOK_INSN, (void *)on_syscall, UC_X86_INS_SYSCALL},
      {UC_HOOK_INSN, (void *)on_sysenter, UC_X86_INS_SYSENTER},
      {UC_HOOK_INSN, (void *)on_in, UC_X86_INS_IN},
      {UC_HOOK_INSN, (void *)on_out, UC_X86_INS_OUT},
      {UC_HOOK_INTR, (void *)on_interrupt, 0},
      {UC_HOOK_INSN_INVALID, (void *)on_invalid, 0},
      {UC_HOOK_BLOCK, (void *)on_block, 0},
      {UC_HOOK_EDGE_GENERATED, (void *)on_new_block, 0},
  };
  for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
    uc_hook handle;
    int error = e->api.hook_add(e->uc, &handle, hooks[i].type, hooks[i].callback, e, 1, 0, hooks[i].instruction);
    if (error) return error;
  }
  return UC_ERR_OK;
}

static int open_processor(engine *e) {
  int error = e->api.open(UC_ARCH_X86, UC_MODE_64, &e->uc);
  /* Exactly x86-64-v2: SSE4.2, POPCNT, CMPXCHG16B; no AVX, no BMI, no RDRAND. */
  if (!error) error = e->api.ctl(e->uc, UC_CTL_SET_CPU_MODEL, UC_CPU_X86_NEHALEM);
  if (!error) error = e->api.ctl(e->uc, UC_CTL_SET_TCG_BUFFER_SIZE, (uint32_t)TRANSLATION_BUFFER);
  /* With exits enabled and none added, "until" addresses do not exist (trap 1). */
  if (!error) error = e->api.ctl(e->uc, UC_CTL_SET_USE_EXITS, 1);
  if (!error) error = e->api.mem_map_ptr(e->uc, 0, e->ram_size, UC_PROT_ALL, e->ram);
  if (!error) error = add_hooks(e);
  if (!error) error = e->api.context_alloc(e->uc, &e->context);
  return error;
}

bool engine_open(engine *e, const uint32_t frames[FRAME_COUNT], bool direct, char *message, size_t message_size) {
  for (int i = 0; i < BATCH_READ_COUNT; i++) e->register_pointers[i] = &e->registers[i];
  int error = open_processor(e);
  if (error) {
    snprintf(message, message_size, "Unicorn could not be set up: %s", e->api.strerror(error));
    return false;
  }
  e->context_size = e->api.context_size(e->uc);
  if (!engine_boot(e, frames, message, message_size)) return false;
  if (direct) engine_find_state(e);
  engine_read_batch(e);
  return true;
}

void engine_close(engine *e) {
  if (e->context) e->api.context_free(e->context);
  if (e->uc) e->api.close(e->uc);
  e->context = NULL;
  e->uc = NULL;
}
