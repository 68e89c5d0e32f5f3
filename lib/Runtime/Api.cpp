//===- Api.cpp - The exported table -----------------------------*- C++ -*-===//
//
// The only file that names the generated tables, so that everything else can
// be tested without a model.
//
//===----------------------------------------------------------------------===//

#include "Context.h"

#include <dlfcn.h>
#include <string.h>

using namespace qopt::runtime;

/// Filled in after linking, behind the compiler's back: hence volatile. In a
/// section of its own so that it can be found.
__attribute__((section(".qopt.trailer"),
               used)) static const volatile qopt_rt_trailer patchedTrailer = {
    QOPT_RT_TRAILER_MARK, 0, 0, {}};

static qopt_rt_trailer readTrailer() {
  qopt_rt_trailer trailer;
  const volatile char *from =
      reinterpret_cast<const volatile char *>(&patchedTrailer);
  char *to = reinterpret_cast<char *>(&trailer);
  for (size_t i = 0; i < sizeof(trailer); ++i)
    to[i] = from[i];
  return trailer;
}

static qopt_status open(const char *path, qopt_model **model, char *error,
                        size_t errorCapacity) {
  Dl_info info;
  if (!path && dladdr(&qopt_rt_program_desc, &info) != 0)
    path = info.dli_fname;
  if (!path) {
    *model = nullptr;
    setText({error, errorCapacity}, "cannot find the model's own file");
    return QOPT_NO_RESOURCE;
  }
  return openModel(qopt_rt_program_desc, readTrailer(), path, model,
                   {error, errorCapacity});
}

static qopt_status verify(const qopt_model *model, char *error,
                          size_t errorCapacity) {
  if (model->weights.verify(model->trailer))
    return QOPT_OK;
  setText({error, errorCapacity}, "the weights were changed: their SHA-256 is "
                                  "not the one that was compiled in");
  return QOPT_BAD_DATA;
}

static const char *getName(const qopt_model *model) {
  return model->program->name;
}

static const char *getManifest(const qopt_model *model) {
  return model->program->manifest;
}

static int64_t getInputCount(const qopt_model *model) {
  return model->program->inputCount;
}

static int64_t getOutputCount(const qopt_model *model) {
  return model->program->outputCount;
}

static int64_t getTierCount(const qopt_model *model) {
  return model->program->tierCount;
}

static const qopt_value_info *getInputInfo(const qopt_model *model,
                                           int64_t index) {
  bool isThere = index >= 0 && index < model->program->inputCount;
  return isThere ? &model->program->inputs[index] : nullptr;
}

static const qopt_value_info *getOutputInfo(const qopt_model *model,
                                            int64_t index) {
  bool isThere = index >= 0 && index < model->program->outputCount;
  return isThere ? &model->program->outputs[index] : nullptr;
}

static const qopt_tier_info *getTierInfo(const qopt_model *model,
                                         int64_t index) {
  bool isThere = index >= 0 && index < model->program->tierCount;
  return isThere ? &model->tiers[index] : nullptr;
}

static qopt_status create(const qopt_model *model,
                          const qopt_context_options *options,
                          qopt_context **context, char *error,
                          size_t errorCapacity) {
  return createContext(model, options, context, {error, errorCapacity});
}

static int64_t getThreadCount(const qopt_context *context) {
  return context->options.threads;
}

static const char *getErrorText(const qopt_context *context) {
  return context->error;
}

static int64_t getStateCount(const qopt_model *model) {
  return model->program->stateCount;
}

static const qopt_state_info *getStateInfo(const qopt_model *model,
                                           int64_t index) {
  bool isThere = index >= 0 && index < model->program->stateCount;
  return isThere ? &model->program->states[index] : nullptr;
}

static qopt_status bindStates(qopt_context *context, int64_t capacity,
                              char *error, size_t errorCapacity) {
  return context->states.bind(*context->model->program, capacity,
                              {error, errorCapacity});
}

static void unbindStates(qopt_context *context) { context->states.unbind(); }

static void resetStates(qopt_context *context) { context->states.reset(); }

static int64_t getStateLength(const qopt_context *context, int64_t index) {
  return context->states.getLength(index);
}

static qopt_status forkStates(const qopt_context *from, qopt_context *to,
                              char *error, size_t errorCapacity) {
  if (from->model->program == to->model->program)
    return to->states.copyFrom(from->states, {error, errorCapacity});
  setText({error, errorCapacity}, "the contexts are of different models");
  return QOPT_BAD_USE;
}

static const qopt_model_api kApi = {
    QOPT_MODEL_ABI_VERSION,
    sizeof(qopt_model_api),
    open,
    closeModel,
    verify,
    getName,
    getManifest,
    getInputCount,
    getOutputCount,
    getTierCount,
    getInputInfo,
    getOutputInfo,
    getTierInfo,
    create,
    destroyContext,
    getThreadCount,
    runContext,
    getOutput,
    getErrorText,
    limitLoops,
    getStateCount,
    getStateInfo,
    bindStates,
    unbindStates,
    resetStates,
    getStateLength,
    forkStates,
};

extern "C" __attribute__((visibility("default"))) const qopt_model_api *
qopt_model_get_api(uint32_t version) {
  return version == QOPT_MODEL_ABI_VERSION ? &kApi : nullptr;
}
