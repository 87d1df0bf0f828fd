/* The hot path: registers in, execute, classify the exit, registers out. */
#include "engine.h"

#include <stdio.h>
#include <string.h>

/* Identifiers in the order of shared_state.general, then RFLAGS, FS base, GS base, RIP. */
static const int IDS[BATCH_READ_COUNT] = {
    UC_X86_REG_RAX,    UC_X86_REG_RCX,     UC_X86_REG_RDX,     UC_X86_REG_RBX,    UC_X86_REG_RSP,
    UC_X86_REG_RBP,    UC_X86_REG_RSI,     UC_X86_REG_RDI,     UC_X86_REG_R8,     UC_X86_REG_R8 + 1,
    UC_X86_REG_R8 + 2, UC_X86_REG_R8 + 3,  UC_X86_REG_R8 + 4,  UC_X86_REG_R8 + 5, UC_X86_REG_R8 + 6,
    UC_X86_REG_R8 + 7, UC_X86_REG_RFLAGS,  UC_X86_REG_FS_BASE, UC_X86_REG_GS_BASE, UC_X86_REG_RIP,
};

/* CF PF AF ZF SF TF DF OF NT RF AC ID: what user code may set. IF and bit 1 are always set, IOPL is 0. */
enum { FLAGS_USER = 0x254dd5, FLAGS_FIXED = 0x202 };

enum { PAGE_FAULT_USER = 4 };

/* The TLB grows only at a flush, so it is flushed after so many blocks. */
enum { FLUSH_INTERVAL = 100000 };

void engine_write_root(engine *e, uint64_t root) {
  e->api.reg_write(e->uc, UC_X86_REG_CR3, &root);
  e->blocks_since_flush = 0;
  e->scratch_page = 0;
}

/* The state with the fields that Unicorn's interface does not show: the structure itself, or a copy of it. */
static uint8_t *private_state(engine *e) {
  if (e->live) return e->live;
  e->api.context_save(e->uc, e->context);
  return (uint8_t *)e->context;
}

static uint32_t read_slot(const uint8_t *state, size_t slot) {
  uint32_t value;
  memcpy(&value, state + slot, sizeof value);
  return value;
}

/* Unicorn believes that an exception is still being delivered, and would make the next one a double fault (trap 2). */
static void forget_exception(engine *e, uint8_t *state) {
  static const int32_t none = -1;
  memcpy(state + e->old_exception_slot, &none, sizeof none);
  if (state != e->live) e->api.context_restore(e->uc, e->context);
}

static void write_registers(engine *e) {
  const shared_state *s = e->shared;
  uint64_t flags = (s->rflags & FLAGS_USER) | FLAGS_FIXED;
  if (e->live) {
    memcpy(e->live + e->general_slot, s->general, sizeof s->general);
    memcpy(e->live + e->fs_slot, &s->fs_base, sizeof s->fs_base);
    memcpy(e->live + e->gs_slot, &s->gs_base, sizeof s->gs_base);
    if (flags != e->registers[BATCH_FLAGS]) e->api.reg_write(e->uc, UC_X86_REG_RFLAGS, &flags);
    return;
  }
  /* Otherwise only the registers whose values differ from what Unicorn holds. */
  uint64_t wanted[BATCH_WRITE_COUNT];
  memcpy(wanted, s->general, sizeof s->general);
  wanted[BATCH_FLAGS] = flags;
  wanted[BATCH_FS] = s->fs_base;
  wanted[BATCH_GS] = s->gs_base;
  int ids[BATCH_WRITE_COUNT], count = 0;
  void *values[BATCH_WRITE_COUNT];
  for (int i = 0; i < BATCH_WRITE_COUNT; i++) {
    if (wanted[i] == e->registers[i]) continue;
    ids[count] = IDS[i];
    values[count++] = &wanted[i];
  }
  if (count > 0) e->api.reg_write_batch(e->uc, ids, values, count);
}

void engine_read_batch(engine *e) {
  if (e->live) {
    memcpy(e->registers, e->live + e->general_slot, sizeof e->shared->general);
    memcpy(&e->registers[BATCH_RIP], e->live + e->general_slot + sizeof e->shared->general, sizeof(uint64_t));
    memcpy(&e->registers[BATCH_FS], e->live + e->fs_slot, sizeof(uint64_t));
    memcpy(&e->registers[BATCH_GS], e->live + e->gs_slot, sizeof(uint64_t));
    /* The flags are kept unevaluated; only Unicorn can put them together. */
    e->api.reg_read(e->uc, UC_X86_REG_RFLAGS, &e->registers[BATCH_FLAGS]);
    return;
  }
  e->api.reg_read_batch(e->uc, IDS, e->register_pointers, BATCH_READ_COUNT);
}

void engine_publish_registers(engine *e) {
  shared_state *s = e->shared;
  memcpy(s->general, e->registers, sizeof s->general);
  s->rip = e->registers[BATCH_RIP];
  s->rflags = e->registers[BATCH_FLAGS];
  s->fs_base = e->registers[BATCH_FS];
  s->gs_base = e->registers[BATCH_GS];
}

/* Tells int n, int3 and single step from faults, and undoes what Unicorn leaves behind after an exception. */
static void classify_interrupt(engine *e) {
  shared_state *s = e->shared;
  uint8_t *state = private_state(e);
  if (e->exit_vector == VECTOR_DB || read_slot(state, e->is_int_slot) != 0) {
    e->exit_kind = STOP_TRAP;
    return;
  }
  s->stop_error_code = read_slot(state, e->error_code_slot);
  /* Unicorn makes the stack accesses of far returns with supervisor rights, and reports them as such. */
  if (e->exit_vector == VECTOR_PF) s->stop_error_code |= PAGE_FAULT_USER;
  forget_exception(e, state);
}

static void describe_failure(engine *e, int error, char *message, size_t message_size) {
  bool outside = error >= UC_ERR_READ_UNMAPPED && error <= UC_ERR_FETCH_UNMAPPED;
  snprintf(message, message_size, "%s (%s at rip 0x%llx, root 0x%x)",
           outside ? "kernel bug: a page table entry points outside RAM" : "Unicorn failed", e->api.strerror(error),
           (unsigned long long)e->shared->rip, e->shared->root);
}

/* What has to be done now and then between two pieces of execution. */
static void keep_house(engine *e) {
  shared_state *s = e->shared;
  if (e->translated_bytes > TRANSLATION_LIMIT) {
    e->api.ctl(e->uc, UC_CTL_FLUSH_TB); /* trap 4 */
    e->translated_bytes = 0;
  }
  if (s->root_pending || e->blocks_since_flush >= FLUSH_INTERVAL) {
    s->root_pending = 0;
    engine_write_root(e, s->root);
  }
}

/* Executes from RIP in pieces, between which nobody notices a thing. Returns Unicorn's error code. */
static int execute(engine *e, uint32_t budget) {
  uint64_t rip = e->shared->rip;
  uint32_t left = budget;
  int error;
  for (;;) {
    keep_house(e);
    uint32_t piece = FLUSH_INTERVAL - e->blocks_since_flush;
    if (piece > left) piece = left;
    e->exit_kind = STOP_NONE;
    e->budget_left = piece;
    e->budget_cut = 0;
    error = e->api.emu_start(e->uc, rip, 0, 0, 0);
    uint32_t executed = piece - e->budget_left - e->budget_cut;
    e->blocks_since_flush += executed;
    left -= executed;
    if (e->exit_kind != STOP_BUDGET || left == 0) break;
    e->api.reg_read(e->uc, UC_X86_REG_RIP, &rip);
  }
  e->shared->stop_executed = budget - left;
  return error;
}

int engine_run(engine *e, uint32_t budget, char *message, size_t message_size) {
  shared_state *s = e->shared;
  write_registers(e);
  e->unclassified = 0;
  e->registers_published = false;
  e->exit_address = 0;
  int error = execute(e, budget);
  s->stop_error_code = 0;
  if (e->unclassified) classify_interrupt(e);
  engine_read_batch(e);
  if (e->registers_published) forget_exception(e, private_state(e));
  else engine_publish_registers(e);
  if (error != UC_ERR_OK && !(error == UC_ERR_INSN_INVALID && e->exit_kind == STOP_FAULT)) {
    describe_failure(e, error, message, message_size); /* trap 7 */
    forget_exception(e, private_state(e));
    return -1;
  }
  /* No hook and no error: HLT where it is allowed. */
  if (e->exit_kind == STOP_NONE) e->exit_kind = STOP_HALT;
  s->stop_kind = e->exit_kind;
  s->stop_vector = e->exit_vector;
  s->stop_address = e->exit_address;
  return (int)e->exit_kind;
}

/*
 * Drops what was translated from a frame: it is mapped for a moment where user code may execute it, because Unicorn
 * finds translations by virtual address only. The engine's own root is used, since the kernel's may be gone by now.
 * Frames in a row use pages in a row, because every page used needs a TLB flush before it is used again.
 */
void engine_invalidate_frame(engine *e, uint32_t pfn) {
  if (e->scratch_page == 0 || e->scratch_page + 1 == PAGE_END) {
    engine_write_root(e, e->home_root);
    e->scratch_page = PAGE_SCRATCH;
  } else {
    e->scratch_page++;
  }
  uint64_t address = SUPERVISOR_PAGE(e->scratch_page);
  e->supervisor_pt[e->scratch_page] = (uint64_t)pfn << 12 | PTE_A | PTE_US | PTE_P;
  e->api.ctl(e->uc, UC_CTL_REMOVE_CACHE, address, address + 4096);
  e->supervisor_pt[e->scratch_page] = 0;
  e->shared->root_pending = 1; /* back to the kernel's root, and no way to these pages for the guest */
}
