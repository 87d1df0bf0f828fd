/*
 * How guard.c gets between the parts of libunicorn: the library calls its own functions by their exported names, this
 * addon exports some of the same names, and the dynamic linker takes the first it finds. Nothing is patched. The
 * originals are looked up here; there may be several copies of the library in a process, of different versions.
 *
 * Elsewhere (macOS binds a library to itself) nothing is intercepted, which boot.c notices.
 */
#include "libraries.h"

#ifdef __linux__

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

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

/* Called for every loaded image: takes the one around the address. */
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

/* Describes the library around an address. It stays loaded from now on, so that the description stays true. */
static bool describe(uintptr_t address, library *result) {
  image_search search = {.address = address, .result = result};
  if (!dl_iterate_phdr(look_at_image, &search)) return false;
  void *handle = dlopen(search.path, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  if (!handle) return false;
  *(void **)&result->translate = dlsym(handle, "gen_intermediate_code_x86_64");
  *(void **)&result->fetch = dlsym(handle, "cpu_ldub_code_x86_64");
  *(void **)&result->begin = dlsym(handle, "tcg_func_start_x86_64");
  unsigned (*version)(unsigned *, unsigned *);
  *(void **)&version = dlsym(handle, "uc_version");
  result->known = version && version(NULL, NULL) >> 16 == (2 << 8 | 1);
  dlclose(handle);
  return result->translate && result->fetch && result->begin;
}

static const library *find(uintptr_t address) {
  unsigned count = atomic_load_explicit(&library_count, memory_order_acquire);
  for (unsigned i = 0; i < count; i++) {
    if (address >= libraries[i].start && address < libraries[i].end) return &libraries[i];
  }
  return NULL;
}

const library *libraries_find(uintptr_t address) {
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

/* Node loads addons without showing their names to other libraries. */
static void promote(void) {
  Dl_info self;
  if (dladdr((void *)promote, &self)) dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
}

void libraries_prepare(void) {
  pthread_once(&promoted, promote);
}

#else

void libraries_prepare(void) {
}

const library *libraries_find(uintptr_t address) {
  (void)address;
  return (void *)0;
}

#endif
