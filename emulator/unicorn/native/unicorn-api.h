/*
 * The part of Unicorn's C interface that the engine uses: its numbers and prototypes, and a table of the functions of
 * one loaded library. Nothing is linked; the library is opened at a path chosen by JavaScript.
 */
#ifndef TRAPGATE_UNICORN_API_H
#define TRAPGATE_UNICORN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct uc_struct uc_engine;
typedef struct uc_context uc_context;
typedef size_t uc_hook;

enum { UC_ARCH_X86 = 4, UC_MODE_64 = 8, UC_PROT_ALL = 7, UC_CPU_X86_NEHALEM = 15 };

enum { UC_ERR_OK = 0, UC_ERR_READ_UNMAPPED = 6, UC_ERR_FETCH_UNMAPPED = 8, UC_ERR_INSN_INVALID = 10 };

enum {
  UC_HOOK_INTR = 1 << 0,
  UC_HOOK_INSN = 1 << 1,
  UC_HOOK_BLOCK = 1 << 3,
  UC_HOOK_INSN_INVALID = 1 << 14,
  UC_HOOK_EDGE_GENERATED = 1 << 15,
};

enum { UC_X86_INS_IN = 218, UC_X86_INS_OUT = 500, UC_X86_INS_SYSCALL = 699, UC_X86_INS_SYSENTER = 700 };

/* Arguments of uc_ctl: type | number of arguments << 26 | write << 30. */
enum {
  UC_CTL_SET_USE_EXITS = 4 | 1 << 26 | 1 << 30,
  UC_CTL_SET_CPU_MODEL = 7 | 1 << 26 | 1 << 30,
  UC_CTL_REMOVE_CACHE = 9 | 2 << 26 | 1 << 30,
  UC_CTL_FLUSH_TB = 10 | 1 << 30,
  UC_CTL_SET_TCG_BUFFER_SIZE = 13 | 1 << 26 | 1 << 30,
};

enum {
  UC_X86_REG_FPSW = 31,
  UC_X86_REG_RAX = 35,
  UC_X86_REG_RBP = 36,
  UC_X86_REG_RBX = 37,
  UC_X86_REG_RCX = 38,
  UC_X86_REG_RDI = 39,
  UC_X86_REG_RDX = 40,
  UC_X86_REG_RIP = 41,
  UC_X86_REG_RSI = 43,
  UC_X86_REG_RSP = 44,
  UC_X86_REG_CR0 = 50,
  UC_X86_REG_CR2 = 52,
  UC_X86_REG_CR3 = 53,
  UC_X86_REG_CR4 = 54,
  UC_X86_REG_R8 = 106,
  UC_X86_REG_ST0 = 114,
  UC_X86_REG_XMM0 = 122,
  UC_X86_REG_GDTR = 243,
  UC_X86_REG_FPCW = 246,
  UC_X86_REG_FPTAG = 247,
  UC_X86_REG_MSR = 248,
  UC_X86_REG_MXCSR = 249,
  UC_X86_REG_FS_BASE = 250,
  UC_X86_REG_GS_BASE = 251,
  UC_X86_REG_RFLAGS = 253,
  UC_X86_REG_FIP = 254,
  UC_X86_REG_FDP = 256,
  UC_X86_REG_FOP = 258,
};

/* What the hook for new blocks gets: guest address, instructions, guest bytes. */
typedef struct {
  uint64_t pc;
  uint16_t icount;
  uint16_t size;
} uc_tb;

/* What GDTR is written from. */
typedef struct {
  uint16_t selector;
  uint64_t base;
  uint32_t limit;
  uint32_t flags;
} uc_x86_mmr;

/* What a model-specific register is written from. */
typedef struct {
  uint32_t rid;
  uint64_t value;
} uc_x86_msr;

/* Every function used: X(result, name, arguments). */
#define UNICORN_FUNCTIONS(X)                                                                                           \
  X(unsigned, version, (unsigned *major, unsigned *minor))                                                             \
  X(const char *, strerror, (int error))                                                                               \
  X(int, open, (int arch, int mode, uc_engine **uc))                                                                   \
  X(int, close, (uc_engine * uc))                                                                                      \
  X(int, ctl, (uc_engine * uc, int control, ...))                                                                      \
  X(int, mem_map_ptr, (uc_engine * uc, uint64_t address, size_t size, uint32_t protection, void *ram))                 \
  X(int, hook_add, (uc_engine * uc, uc_hook * hook, int type, void *callback, void *data, uint64_t begin, uint64_t end, ...)) \
  X(int, emu_start, (uc_engine * uc, uint64_t begin, uint64_t until, uint64_t timeout, size_t count))                  \
  X(int, emu_stop, (uc_engine * uc))                                                                                   \
  X(int, reg_read, (uc_engine * uc, int id, void *value))                                                              \
  X(int, reg_write, (uc_engine * uc, int id, const void *value))                                                       \
  X(int, reg_read_batch, (uc_engine * uc, const int *ids, void *const *values, int count))                             \
  X(int, reg_write_batch, (uc_engine * uc, const int *ids, void *const *values, int count))                            \
  X(int, context_alloc, (uc_engine * uc, uc_context * *context))                                                       \
  X(size_t, context_size, (uc_engine * uc))                                                                            \
  X(int, context_save, (uc_engine * uc, uc_context * context))                                                         \
  X(int, context_restore, (uc_engine * uc, uc_context * context))                                                      \
  X(int, context_free, (uc_context * context))

typedef struct {
  void *library;
  unsigned major, minor, patch;
#define DECLARE(result, name, arguments) result(*name) arguments;
  UNICORN_FUNCTIONS(DECLARE)
#undef DECLARE
} unicorn_api;

/* Opens the library; on failure returns false with the reason in message. */
bool unicorn_api_open(unicorn_api *api, const char *path, char *message, size_t message_size);
void unicorn_api_close(unicorn_api *api);

#endif
