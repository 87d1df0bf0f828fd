/* The x87, MMX and SSE state as an FXSAVE image (Intel SDM volume 1, section 10.5; 64-bit form with REX.W). */
#include "engine.h"

#include <string.h>

enum { AT_FCW = 0, AT_FSW = 2, AT_FTW = 4, AT_FOP = 6, AT_FIP = 8, AT_FDP = 16, AT_MXCSR = 24, AT_MXCSR_MASK = 28 };
enum { AT_ST = 32, AT_XMM = 160, COUNT = 7 + 8 + 16 };
enum { MXCSR_MASK = 0xffff };

/* FPSW stands before the stack registers, whose numbers are relative to the top it holds. */
static const int IDS[COUNT] = {
    UC_X86_REG_FPSW,      UC_X86_REG_FPCW,      UC_X86_REG_FPTAG,     UC_X86_REG_FOP,       UC_X86_REG_FIP,
    UC_X86_REG_FDP,       UC_X86_REG_MXCSR,     UC_X86_REG_ST0,       UC_X86_REG_ST0 + 1,   UC_X86_REG_ST0 + 2,
    UC_X86_REG_ST0 + 3,   UC_X86_REG_ST0 + 4,   UC_X86_REG_ST0 + 5,   UC_X86_REG_ST0 + 6,   UC_X86_REG_ST0 + 7,
    UC_X86_REG_XMM0,      UC_X86_REG_XMM0 + 1,  UC_X86_REG_XMM0 + 2,  UC_X86_REG_XMM0 + 3,  UC_X86_REG_XMM0 + 4,
    UC_X86_REG_XMM0 + 5,  UC_X86_REG_XMM0 + 6,  UC_X86_REG_XMM0 + 7,  UC_X86_REG_XMM0 + 8,  UC_X86_REG_XMM0 + 9,
    UC_X86_REG_XMM0 + 10, UC_X86_REG_XMM0 + 11, UC_X86_REG_XMM0 + 12, UC_X86_REG_XMM0 + 13, UC_X86_REG_XMM0 + 14,
    UC_X86_REG_XMM0 + 15,
};

/* The register buffer is page-aligned or at least 8-byte-aligned, and so is every field. */
static void point(uint8_t *image, uint16_t *tags, void *values[COUNT]) {
  int n = 0;
  values[n++] = image + AT_FSW;
  values[n++] = image + AT_FCW;
  values[n++] = tags;
  values[n++] = image + AT_FOP;
  values[n++] = image + AT_FIP;
  values[n++] = image + AT_FDP;
  values[n++] = image + AT_MXCSR;
  for (int i = 0; i < 8; i++) values[n++] = image + AT_ST + 16 * i;
  for (int i = 0; i < 16; i++) values[n++] = image + AT_XMM + 16 * i;
}

void engine_store_fpu(engine *e) {
  uint8_t *image = e->shared->fxsave;
  uint16_t tags = 0;
  void *values[COUNT];
  point(image, &tags, values);
  memset(image, 0, AT_XMM);
  e->api.reg_read_batch(e->uc, IDS, values, COUNT);
  /* The image has one bit a register, set when in use; the register has two bits, both set when empty. */
  for (int i = 0; i < 8; i++) {
    if ((tags >> (2 * i) & 3) != 3) image[AT_FTW] |= (uint8_t)(1 << i);
  }
  uint32_t mask = MXCSR_MASK;
  memcpy(image + AT_MXCSR_MASK, &mask, sizeof mask);
}

void engine_load_fpu(engine *e) {
  uint8_t *image = e->shared->fxsave;
  uint16_t tags = 0;
  void *values[COUNT];
  point(image, &tags, values);
  for (int i = 0; i < 8; i++) {
    if (!(image[AT_FTW] >> i & 1)) tags |= (uint16_t)(3 << (2 * i));
  }
  /* A guest can put anything into a signal frame; bits outside the mask would be #GP on a processor. */
  uint32_t mxcsr;
  memcpy(&mxcsr, image + AT_MXCSR, sizeof mxcsr);
  mxcsr &= MXCSR_MASK;
  values[6] = &mxcsr;
  e->api.reg_write_batch(e->uc, IDS, values, COUNT);
}
