/* Opens libunicorn at a given path and refuses versions that cannot translate addresses. */
#include "unicorn-api.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "libraries.h"

/* 2.0.x walks the page tables but then maps virtual = physical; 2.1.1 is the oldest version tested. */
enum { OLDEST = 2 << 16 | 1 << 8 | 1 };

bool unicorn_api_open(unicorn_api *api, const char *path, char *message, size_t message_size) {
  memset(api, 0, sizeof *api);
  libraries_prepare();
  api->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!api->library) {
    snprintf(message, message_size, "cannot load libunicorn: %s", dlerror());
    return false;
  }
#define RESOLVE(result, name, arguments)                                                                               \
  api->name = (result(*) arguments)dlsym(api->library, "uc_" #name);                                                   \
  if (!api->name) {                                                                                                    \
    snprintf(message, message_size, "%s has no function uc_" #name ": Unicorn 2.1.1 or newer is needed", path);        \
    unicorn_api_close(api);                                                                                            \
    return false;                                                                                                      \
  }
  UNICORN_FUNCTIONS(RESOLVE)
#undef RESOLVE
  /* The result holds major, minor, patch and "extra" in one byte each, from the top. */
  unsigned version = api->version(&api->major, &api->minor) >> 8;
  api->patch = version & 255;
  if (version < OLDEST) {
    snprintf(message, message_size,
             "%s is Unicorn %u.%u.%u, but 2.1.1 or newer is needed: run `node scripts/setup-debian.mjs libunicorn2`, or "
             "set TRAPGATE_UNICORN to the path of a newer libunicorn.so.2",
             path, api->major, api->minor, api->patch);
    unicorn_api_close(api);
    return false;
  }
  return true;
}

void unicorn_api_close(unicorn_api *api) {
  if (api->library) dlclose(api->library);
  api->library = NULL;
}
