/*
 * Keeps translated blocks short, for the safety of the host process.
 *
 * Unicorn's translator has room for 512 temporaries in a block and takes up to 512 instructions, but x87, CRC32 and
 * some SSE instructions never give theirs back: a long run of them writes behind the array. No option bounds the
 * number of instructions. What does is an argument of the translator's entry point, which the library calls by its
 * exported name - so this addon exports the same name, the dynamic linker prefers it, and the argument is lowered on
 * its way. Nothing is patched; boot.c looks whether blocks really are short (they are not where a linker binds the
 * library to itself, on macOS for instance, or when somebody loaded the library before the addon).
 */
#include "bounded-blocks.h"

#ifdef __linux__

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* TCGContext and arguments are none of our business; six words are passed on, whatever they are. */
typedef void entry_point(uintptr_t cpu, uintptr_t block, uintptr_t limit, uintptr_t, uintptr_t, uintptr_t);

/* A copy of libunicorn in this process. There may be several, of different versions. */
typedef struct {
  uintptr_t start, end;
  entry_point *translate;
  bool known; /* the third argument is the number of instructions */
} library;

enum { LIBRARY_COUNT = 16 };
static library libraries[LIBRARY_COUNT];
static atomic_uint library_count;
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t promoted = PTHREAD_ONCE_INIT;

typedef struct {
  uintptr_t address;
  library *result;
  const char *path;
} image_search;

/* Called for every loaded image: takes the one with the address. */
static int look_at_image(struct dl_phdr_info *image, size_t size, void *data) {
  (void)size;
  image_search *search = data;
  uintptr_t start = UINTPTR_MAX, end = 0;
  for (int i = 0; i < image->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &image->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD) continue;
    uintptr_t from = image->dlpi_addr + segment->p_vaddr;
    if (from < start) start = from;
    if (from + segment->p_memsz > end) end = from + segment->p_memsz;
  }
  if (search->address < start || search->address >= end) return 0;
  search->result->start = start;
  search->result->end = end;
  search->path = image->dlpi_name;
  return 1;
}

/* Describes the library with an address inside. It stays loaded from now on, so that the description stays true. */
static bool describe(uintptr_t address, library *result) {
  image_search search = {.address = address, .result = result};
  if (!dl_iterate_phdr(look_at_image, &search)) return false;
  void *handle = dlopen(search.path, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  if (!handle) return false;
  result->translate = (entry_point *)dlsym(handle, "gen_intermediate_code_x86_64");
  unsigned (*version)(unsigned *, unsigned *) = (unsigned (*)(unsigned *, unsigned *))dlsym(handle, "uc_version");
  result->known = version && version(NULL, NULL) >> 16 == (2 << 8 | 1); /* 2.1.x */
  dlclose(handle);
  return result->translate != NULL;
}

static const library *find(uintptr_t address) {
  unsigned count = atomic_load_explicit(&library_count, memory_order_acquire);
  for (unsigned i = 0; i < count; i++) {
    if (address >= libraries[i].start && address < libraries[i].end) return &libraries[i];
  }
  return NULL;
}

static const library *find_or_add(uintptr_t address) {
  const library *found = find(address);
  if (found) return found;
  pthread_mutex_lock(&adding);
  found = find(address);
  unsigned count = atomic_load_explicit(&library_count, memory_order_relaxed);
  if (!found && count < LIBRARY_COUNT && describe(address, &libraries[count])) {
    found = &libraries[count];
    atomic_store_explicit(&library_count, count + 1, memory_order_release);
  }
  pthread_mutex_unlock(&adding);
  return found;
}

/* What libunicorn calls to translate a block, under the name it calls it by. */
__attribute__((visibility("default"), noinline)) void gen_intermediate_code_x86_64(uintptr_t cpu, uintptr_t block,
                                                                                   uintptr_t limit, uintptr_t d,
                                                                                   uintptr_t e, uintptr_t f) {
  const library *caller = find_or_add((uintptr_t)__builtin_return_address(0));
  if (!caller) {
    fputs("trapgate: called by an unknown libunicorn\n", stderr);
    abort();
  }
  if (caller->known && (uint32_t)limit > BLOCK_LIMIT) limit = BLOCK_LIMIT;
  caller->translate(cpu, block, limit, d, e, f);
}

/* Makes the names this addon exports visible to libraries loaded later; Node loads addons without. */
static void promote(void) {
  Dl_info self;
  if (dladdr((void *)promote, &self)) dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
}

void bounded_blocks_prepare(void) {
  pthread_once(&promoted, promote);
}

bool bounded_blocks_add(void *function) {
  return find_or_add((uintptr_t)function) != NULL;
}

#else

void bounded_blocks_prepare(void) {
}

bool bounded_blocks_add(void *function) {
  (void)function;
  return true;
}

#endif
