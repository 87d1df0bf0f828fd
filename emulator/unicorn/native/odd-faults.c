/*
 * IN, OUT and SYSENTER at CPL 3: a processor raises a fault, Unicorn calls a hook in which RIP is still the start of the
 * block. The instruction is searched from there.
 */
#include "engine.h"

#include <string.h>

enum { SEARCH_LENGTH = 4096 };
#define ENTRY_ADDRESS 0x000ffffffffff000ull

/* Port, size in bytes and direction of an I/O access. */
typedef struct {
  uint32_t port;
  int size;
  bool out;
} io_access;

/* The byte of RAM at a virtual address, or -1 where nothing is mapped. */
static int byte_at(const engine *e, uint64_t address) {
  uint64_t table = e->shared->root;
  for (int shift = 39; shift >= 12; shift -= 9) {
    uint64_t entry;
    if (table + 4096 > e->ram_size) return -1;
    memcpy(&entry, e->ram + table + (address >> shift & 511) * 8, sizeof entry);
    if (!(entry & PTE_P)) return -1;
    table = entry & ENTRY_ADDRESS;
  }
  return table + 4096 > e->ram_size ? -1 : e->ram[table + (address & 4095)];
}

/* Whether this opcode is the access: E4-E7 have the port behind them, EC-EF and 6C-6F have it in DX. */
static bool is_access(const engine *e, uint64_t address, const io_access *access) {
  int opcode = byte_at(e, address);
  bool immediate = (opcode & ~3) == 0xe4;
  if (!immediate && (opcode & ~3) != 0xec && (opcode & ~3) != 0x6c) return false;
  if (((opcode & 2) != 0) != access->out || ((opcode & 1) == 0) != (access->size == 1)) return false;
  return access->port == (immediate ? (uint32_t)byte_at(e, address + 1) : (e->registers[2] & 0xffff));
}

/*
 * The first place in the block that can be the instruction; access is NULL for SYSENTER. Wrong only when an earlier
 * instruction of the same block holds the same bytes in an operand.
 */
static uint64_t find_instruction(const engine *e, const io_access *access) {
  uint64_t start = e->registers[BATCH_RIP];
  for (uint64_t address = start; address < start + SEARCH_LENGTH; address++) {
    if (!access) {
      if (byte_at(e, address) == 0x0f && byte_at(e, address + 1) == 0x34) return address;
      continue;
    }
    if (!is_access(e, address, access)) continue;
    int before = address > start ? byte_at(e, address - 1) : 0;
    bool prefixed = before == 0x66 || before == 0xf2 || before == 0xf3;
    return prefixed ? address - 1 : address;
  }
  return start;
}

/* The registers are those in the hook, whatever is executed before the run really ends. */
static void stop_here(engine *e, uint32_t vector, const io_access *access) {
  if (e->exit_kind != STOP_NONE) return;
  e->exit_kind = STOP_FAULT;
  e->exit_vector = vector;
  engine_read_batch(e);
  e->registers[BATCH_RIP] = find_instruction(e, access);
  engine_publish_registers(e);
  e->registers_published = true;
  e->api.emu_stop(e->uc);
}

/*
 * A stop asked for in an I/O hook takes effect some instructions later (trap 8): an empty address space keeps those
 * from touching memory.
 */
void engine_io_fault(engine *e, uint32_t port, int size, bool out) {
  stop_here(e, VECTOR_GP, &(io_access){port, size, out});
  engine_write_root(e, e->home_root);
  e->shared->root_pending = 1;
}

/* As on AMD's processors and under kernels without 32-bit entry; the vendor presented to the guest is Intel. */
void engine_sysenter_fault(engine *e) {
  stop_here(e, VECTOR_UD, NULL);
}
