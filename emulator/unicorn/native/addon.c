/*
 * The door to JavaScript. The module has one function:
 *
 *   create(library: string, ram: ArrayBuffer, cpu: ArrayBuffer, frames: Uint32Array, direct: boolean) =>
 *     { version: string, direct: boolean, boundedBlocks: boolean,
 *       run(budget), storeFpu(), loadFpu(), invalidateFrame(pfn), dispose() }
 *
 * The functions carry the engine as their data, which saves looking it up in every call. It lives until the last of
 * them is collected; dispose() only closes the processor early.
 */
#define NAPI_VERSION 8
#include <node_api.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

typedef struct {
  engine engine;
  uint32_t functions; /* JavaScript functions that still refer to this */
  napi_ref ram, cpu;
} instance;

static napi_value fail(napi_env env, const char *message) {
  napi_throw_error(env, NULL, message);
  return NULL;
}

/* The engine behind a call and its number argument, or NULL with an exception pending. */
static engine *receive(napi_env env, napi_callback_info info, uint32_t *number) {
  size_t count = 1;
  napi_value argument;
  void *data;
  napi_get_cb_info(env, info, &count, &argument, NULL, &data);
  engine *e = &((instance *)data)->engine;
  if (!e->uc) {
    napi_throw_error(env, NULL, "this engine has been disposed of");
    return NULL;
  }
  if (number && napi_get_value_uint32(env, argument, number) != napi_ok) {
    napi_throw_type_error(env, NULL, "expected a number");
    return NULL;
  }
  return e;
}

static napi_value run(napi_env env, napi_callback_info info) {
  uint32_t budget;
  engine *e = receive(env, info, &budget);
  if (!e) return NULL;
  char message[256];
  int kind = engine_run(e, budget, message, sizeof message);
  if (kind < 0) return fail(env, message);
  napi_value result;
  napi_create_uint32(env, (uint32_t)kind, &result);
  return result;
}

static napi_value store_fpu(napi_env env, napi_callback_info info) {
  engine *e = receive(env, info, NULL);
  if (e) engine_store_fpu(e);
  return NULL;
}

static napi_value load_fpu(napi_env env, napi_callback_info info) {
  engine *e = receive(env, info, NULL);
  if (e) engine_load_fpu(e);
  return NULL;
}

static napi_value invalidate_frame(napi_env env, napi_callback_info info) {
  uint32_t pfn;
  engine *e = receive(env, info, &pfn);
  if (!e) return NULL;
  if ((uint64_t)pfn >= e->ram_size / 4096) return fail(env, "invalidateFrame: no such frame");
  engine_invalidate_frame(e, pfn);
  return NULL;
}

static void release(instance *it) {
  engine_close(&it->engine);
  unicorn_api_close(&it->engine.api);
  free(it);
}

static napi_value dispose(napi_env env, napi_callback_info info) {
  void *data;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &data);
  engine_close(&((instance *)data)->engine);
  return NULL;
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)hint;
  instance *it = data;
  if (--it->functions > 0) return;
  napi_delete_reference(env, it->ram);
  napi_delete_reference(env, it->cpu);
  release(it);
}

static const struct {
  const char *name;
  napi_callback callback;
} FUNCTIONS[] = {
    {"run", run},
    {"storeFpu", store_fpu},
    {"loadFpu", load_fpu},
    {"invalidateFrame", invalidate_frame},
    {"dispose", dispose},
};

static napi_value make_result(napi_env env, instance *it, napi_value ram, napi_value cpu) {
  napi_value result, value;
  napi_create_object(env, &result);
  char version[32];
  snprintf(version, sizeof version, "%u.%u.%u", it->engine.api.major, it->engine.api.minor, it->engine.api.patch);
  napi_create_string_utf8(env, version, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, result, "version", value);
  napi_get_boolean(env, it->engine.live != NULL, &value);
  napi_set_named_property(env, result, "direct", value);
  napi_get_boolean(env, it->engine.bounded_blocks, &value);
  napi_set_named_property(env, result, "boundedBlocks", value);
  napi_create_reference(env, ram, 1, &it->ram);
  napi_create_reference(env, cpu, 1, &it->cpu);
  it->functions = sizeof FUNCTIONS / sizeof *FUNCTIONS;
  for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
    napi_value function;
    napi_create_function(env, FUNCTIONS[i].name, NAPI_AUTO_LENGTH, FUNCTIONS[i].callback, it, &function);
    napi_add_finalizer(env, function, it, on_collected, NULL, NULL);
    napi_set_named_property(env, result, FUNCTIONS[i].name, function);
  }
  return result;
}

static napi_value create(napi_env env, napi_callback_info info) {
  size_t count = 5, ram_size = 0, cpu_size = 0, frame_count = 0;
  napi_value arguments[5];
  bool direct;
  char path[4096], message[4400];
  void *ram, *cpu, *frames;
  napi_typedarray_type type;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (count < 5 || napi_get_value_string_utf8(env, arguments[0], path, sizeof path, NULL) != napi_ok ||
      napi_get_arraybuffer_info(env, arguments[1], &ram, &ram_size) != napi_ok ||
      napi_get_arraybuffer_info(env, arguments[2], &cpu, &cpu_size) != napi_ok ||
      napi_get_typedarray_info(env, arguments[3], &type, &frame_count, &frames, NULL, NULL) != napi_ok ||
      type != napi_uint32_array || frame_count != FRAME_COUNT || cpu_size < sizeof(shared_state) ||
      napi_get_value_bool(env, arguments[4], &direct) != napi_ok) {
    return fail(env, "create(library, ram, cpu, frames, direct) was called with wrong arguments");
  }
  instance *it = calloc(1, sizeof *it);
  if (!it) return fail(env, "out of memory");
  if (!unicorn_api_open(&it->engine.api, path, message, sizeof message)) {
    free(it);
    return fail(env, message);
  }
  it->engine.shared = cpu;
  it->engine.ram = ram;
  it->engine.ram_size = ram_size;
  if (!engine_open(&it->engine, frames, direct, message, sizeof message)) {
    release(it);
    return fail(env, message);
  }
  return make_result(env, it, arguments[1], arguments[2]);
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "create", NAPI_AUTO_LENGTH, create, NULL, &function);
  napi_set_named_property(env, exports, "create", function);
  return exports;
}
