/*
 * Brings a fresh processor to CPL 3 and finds the slots of its state that Unicorn's interface does not show.
 *
 * CPL cannot be set through registers: one SYSRETQ executed at CPL 0 does it, and no exit ever raises it again.
 */
#include "engine.h"
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CR0 = 0x80010033, CR4_TSD = 1 << 2, CR4_PAE = 1 << 5, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10 };
enum { MSR_EFER = 0xc0000080, MSR_STAR = 0xc0000081, EFER_SCE_LME_LMA_NXE = 0xd01 };

/* Descriptors are marked accessed already, so that loading them never writes to the (read-only) GDT. */
static const uint64_t GDT[] = {
    0,
    0x00209b0000000000, /* 0x08 kernel code */
    0x0000930000000000, /* 0x10 kernel data */
    0,
    0, /* 0x23 would be 32-bit user code: left out, so the guest cannot leave 64-bit mode */
    0x0000f30000000000, /* 0x2b user data */
    0x0020fb0000000000, /* 0x33 user code */
};

/* Code on the user page: a SYSCALL to end the entry, then instructions with known outcomes. */
enum { AT_SYSCALL = 0, AT_READ = 16, AT_WRITE = 32, AT_JUMP = 48, AT_HLT = 64, AT_DIVIDE = 80, AT_INT20 = 96, AT_INT80 = 112, AT_NOPS = 128 };
static const struct {
  uint32_t offset;
  const char *bytes;
} CODE[] = {
    {AT_SYSCALL, "\x0f\x05"},
    {AT_READ, "\x8a\x07"},    /* mov al, [rdi] */
    {AT_WRITE, "\x88\x07"},   /* mov [rdi], al */
    {AT_JUMP, "\xff\xe7"},    /* jmp rdi */
    {AT_HLT, "\xf4"},         /* hlt */
    {AT_DIVIDE, "\x31\xd2\x31\xc9\xf7\xf1"}, /* xor edx, edx; xor ecx, ecx; div ecx */
    {AT_INT20, "\xcd\x20"},   /* int 0x20 */
    {AT_INT80, "\xcd\x80"},   /* int 0x80 */
};

/* Instructions and what they leave in the error-code, old_exception and exception_is_int slots. */
static const struct {
  uint32_t offset, page;
  int32_t error_code, old_exception, is_int;
} TRIALS[] = {
    {AT_READ, PAGE_ABSENT, 4, VECTOR_PF, 0}, {AT_WRITE, PAGE_ABSENT, 6, VECTOR_PF, 0},
    {AT_WRITE, PAGE_USER, 7, VECTOR_PF, 0},  {AT_JUMP, PAGE_ABSENT, 0x14, VECTOR_PF, 0},
    {AT_READ, PAGE_GDT, 5, VECTOR_PF, 0},    {AT_HLT, PAGE_USER, 0, VECTOR_GP, 0},
    {AT_DIVIDE, PAGE_USER, 0, VECTOR_DE, 0}, {AT_INT20, PAGE_USER, 0, -1, 1},
    {AT_INT80, PAGE_USER, 0, -1, 1},         {AT_WRITE, PAGE_GDT, 7, VECTOR_PF, 0},
};
enum { TRIAL_COUNT = sizeof TRIALS / sizeof *TRIALS };

static void write_msr(engine *e, uint32_t id, uint64_t value) {
  uc_x86_msr msr = {id, value};
  e->api.reg_write(e->uc, UC_X86_REG_MSR, &msr);
}

static void write_register(engine *e, int id, uint64_t value) {
  e->api.reg_write(e->uc, id, &value);
}

static void *frame(engine *e, uint32_t pfn) {
  return e->ram + (uint64_t)pfn * 4096;
}

static uint64_t entry(uint32_t pfn, uint64_t flags) {
  return (uint64_t)pfn << 12 | PTE_A | flags;
}

/* The supervisor area. Upper levels allow everything: the scratch page must be reachable from CPL 3 for a moment. */
static void build_tables(engine *e, const uint32_t frames[FRAME_COUNT]) {
  for (int i = 0; i < FRAME_COUNT; i++) memset(frame(e, frames[i]), 0, 4096);
  uint64_t open = PTE_P | PTE_RW | PTE_US;
  ((uint64_t *)frame(e, frames[FRAME_HOME]))[511] = entry(frames[FRAME_PDPT], open);
  ((uint64_t *)frame(e, frames[FRAME_PDPT]))[0] = entry(frames[FRAME_PD], open);
  ((uint64_t *)frame(e, frames[FRAME_PD]))[0] = entry(frames[FRAME_PT], open);
  e->supervisor_pt = frame(e, frames[FRAME_PT]);
  e->supervisor_pt[PAGE_GDT] = entry(frames[FRAME_GDT], PTE_P);
  e->supervisor_pt[PAGE_STUB] = entry(frames[FRAME_STUB], PTE_P);
  e->supervisor_pt[PAGE_USER] = entry(frames[FRAME_USER], PTE_P | PTE_US);
  e->home_root = (uint64_t)frames[FRAME_HOME] << 12;
  memcpy(frame(e, frames[FRAME_GDT]), GDT, sizeof GDT);
  memcpy(frame(e, frames[FRAME_STUB]), "\x48\x0f\x07", 3); /* sysretq */
  for (size_t i = 0; i < sizeof CODE / sizeof *CODE; i++) {
    memcpy((uint8_t *)frame(e, frames[FRAME_USER]) + CODE[i].offset, CODE[i].bytes, strlen(CODE[i].bytes));
  }
}

static bool enter_user_mode(engine *e) {
  uc_x86_mmr gdtr = {.base = SUPERVISOR_PAGE(PAGE_GDT), .limit = sizeof GDT - 1};
  e->api.reg_write(e->uc, UC_X86_REG_GDTR, &gdtr);
  write_register(e, UC_X86_REG_CR4, CR4_TSD | CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT);
  write_msr(e, MSR_EFER, EFER_SCE_LME_LMA_NXE);
  write_msr(e, MSR_STAR, 0x08ull << 32 | 0x20ull << 48);
  write_register(e, UC_X86_REG_CR3, e->home_root);
  write_register(e, UC_X86_REG_CR0, CR0);
  write_register(e, UC_X86_REG_RCX, SUPERVISOR_PAGE(PAGE_USER) + AT_SYSCALL);
  write_register(e, UC_X86_REG_R8 + 3, 0x202); /* R11: RFLAGS after SYSRETQ */
  /* Linux's initial values; Unicorn starts with others. */
  uint16_t control = 0x37f, tags = 0xffff;
  uint32_t mxcsr = 0x1f80;
  e->api.reg_write(e->uc, UC_X86_REG_FPCW, &control);
  e->api.reg_write(e->uc, UC_X86_REG_FPTAG, &tags);
  e->api.reg_write(e->uc, UC_X86_REG_MXCSR, &mxcsr);
  e->exit_kind = STOP_NONE;
  e->budget_left = 100;
  int error = e->api.emu_start(e->uc, SUPERVISOR_PAGE(PAGE_STUB), 0, 0, 0);
  return error == UC_ERR_OK && e->exit_kind == STOP_SYSCALL;
}

/* Returns the only 4-byte slot that had the wanted value after every trial, or 0. */
static size_t find_slot(const uint8_t *samples, size_t size, const int32_t wanted[TRIAL_COUNT]) {
  size_t found = 0;
  for (size_t slot = 16; slot + 4 <= size; slot += 4) {
    int matches = 0;
    for (int i = 0; i < TRIAL_COUNT; i++) matches += memcmp(samples + i * size + slot, &wanted[i], 4) == 0;
    if (matches != TRIAL_COUNT) continue;
    if (found) return 0;
    found = slot;
  }
  return found;
}

/* Causes exceptions with known outcomes and looks for the slots that follow them (no private header needed). */
static bool calibrate(engine *e) {
  size_t size = e->context_size;
  uint8_t *samples = malloc(size * TRIAL_COUNT);
  uc_context *clean = NULL;
  bool good = samples && !e->api.context_alloc(e->uc, &clean) && !e->api.context_save(e->uc, clean);
  int32_t wanted[3][TRIAL_COUNT];
  for (int i = 0; good && i < TRIAL_COUNT; i++) {
    e->api.context_restore(e->uc, clean);
    write_register(e, UC_X86_REG_RDI, SUPERVISOR_PAGE(TRIALS[i].page));
    e->exit_kind = STOP_NONE;
    e->budget_left = 100;
    e->api.emu_start(e->uc, SUPERVISOR_PAGE(PAGE_USER) + TRIALS[i].offset, 0, 0, 0);
    good = e->exit_kind == STOP_FAULT && e->api.context_save(e->uc, e->context) == UC_ERR_OK;
    memcpy(samples + i * size, e->context, size);
    wanted[0][i] = TRIALS[i].error_code;
    wanted[1][i] = TRIALS[i].old_exception;
    wanted[2][i] = TRIALS[i].is_int;
  }
  if (good) {
    e->error_code_slot = find_slot(samples, size, wanted[0]);
    e->old_exception_slot = find_slot(samples, size, wanted[1]);
    e->is_int_slot = find_slot(samples, size, wanted[2]);
    good = e->error_code_slot && e->old_exception_slot && e->is_int_slot;
    e->api.context_restore(e->uc, clean);
  }
  if (clean) e->api.context_free(clean);
  free(samples);
  return good;
}

/* Whether the guard is in place: a long run of NOPs must come through it and end up in short blocks, all counted. */
static bool try_guard(engine *e, uint8_t *page) {
  enum { NOPS = 600, BUDGET = 1000 };
  memset(page + AT_NOPS, 0x90, NOPS);
  memcpy(page + AT_NOPS + NOPS, "\x0f\x05", 2);
  uint64_t fetched = guard_fetched();
  e->longest_block = 0;
  e->exit_kind = STOP_NONE;
  e->budget_left = BUDGET;
  e->api.emu_start(e->uc, SUPERVISOR_PAGE(PAGE_USER) + AT_NOPS, 0, 0, 0);
  return e->exit_kind == STOP_SYSCALL && guard_fetched() - fetched > NOPS && e->longest_block == BLOCK_LIMIT &&
         BUDGET - e->budget_left == NOPS / BLOCK_LIMIT + 1;
}

bool engine_boot(engine *e, const uint32_t frames[FRAME_COUNT], char *message, size_t message_size) {
  build_tables(e, frames);
  const char *problem = NULL;
  if (!enter_user_mode(e)) problem = "did not enter user mode";
  else if (!calibrate(e)) problem = "keeps its exception state in an unknown place";
  if (problem) {
    snprintf(message, message_size, "Unicorn %u.%u.%u %s; this version is not supported", e->api.major, e->api.minor,
             e->api.patch, problem);
    return false;
  }
  e->bounded_blocks = try_guard(e, frame(e, frames[FRAME_USER]));
  e->supervisor_pt[PAGE_STUB] = 0;
  e->supervisor_pt[PAGE_USER] = 0;
  engine_write_root(e, e->home_root);
  engine_invalidate_frame(e, frames[FRAME_STUB]);
  engine_invalidate_frame(e, frames[FRAME_USER]);
  return true;
}
