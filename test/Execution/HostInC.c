/*===- HostInC.c - A host that knows only the C header ------------*- C -*-===*\
|*
|* Shows that qopt_model.h is C99 and is enough to run a model.
|*
\*===----------------------------------------------------------------------===*/

#include "qopt-runtime/qopt_model.h"

#include <dlfcn.h>

/* Runs the model at `path`, which has one input and one output of f32 vectors,
   on `count` values in place. Returns a qopt_status. */
qopt_status runInC(const char *path, float *values, int64_t count) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return QOPT_NO_RESOURCE;
  union {
    void *object;
    qopt_model_get_api_fn function;
  } symbol;
  symbol.object = dlsym(library, QOPT_MODEL_GET_API_NAME);
  const qopt_model_api *api = symbol.function(QOPT_MODEL_ABI_VERSION);
  if (!api || symbol.function(QOPT_MODEL_ABI_VERSION + 1))
    return QOPT_BAD_USE;

  qopt_model *model = NULL;
  qopt_context *context = NULL;
  char error[256];
  /* A null path: the model finds its own file. */
  qopt_status status = api->open(NULL, &model, error, sizeof(error));
  if (status == QOPT_OK)
    status = api->create_context(model, NULL, &context, error, sizeof(error));
  if (status == QOPT_OK) {
    qopt_tensor tensor = {values, &count,
                          1,      QOPT_ELEMENT_F32,
                          0,      (uint64_t)count * sizeof(float)};
    qopt_tensor output = tensor;
    status = api->run(context, &tensor, &output);
    if (status == QOPT_OK && output.data != values)
      status = QOPT_INTERNAL;
  }
  api->destroy_context(context);
  api->close(model);
  dlclose(library);
  return status;
}
