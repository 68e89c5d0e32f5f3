//===- Context.cpp - The state of runs --------------------------*- C++ -*-===//
//
// A context goes from run to run; whatever one run leaves, also after a
// failure, the next one starts from.
//
//===----------------------------------------------------------------------===//

#include "Context.h"
#include "Cpu.h"
#include "Services.h"

#include <new>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

using namespace qopt::runtime;

static constexpr int64_t kMaxThreads = 1024;

uint64_t qopt::runtime::getElementSize(int64_t elementType) {
  switch (elementType) {
#define QOPT_CASE(name, number, bytes, text)                                   \
  case number:                                                                 \
    return bytes;
    QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_CASE)
#undef QOPT_CASE
  }
  return 0;
}

qopt_status qopt::runtime::failRun(qopt_context &context, qopt_status status,
                                   const char *format, ...) {
  if (context.hasFailed.exchange(true))
    return status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(context.error, sizeof(context.error), format, arguments);
  va_end(arguments);
  return status;
}

static qopt_status checkOptions(const qopt_context_options &options,
                                TextBuffer error) {
  if (options.threads < 0 || options.threads > kMaxThreads) {
    setText(error, "expected 0 to %lld threads, but found %d",
            static_cast<long long>(kMaxThreads), options.threads);
    return QOPT_BAD_USE;
  }
  if (options.parallel_for && options.threads == 0) {
    setText(error, "a host with its own parallel_for must say how many threads "
                   "it has");
    return QOPT_BAD_USE;
  }
  return QOPT_OK;
}

static qopt_status fillContext(qopt_context &context, TextBuffer error) {
  const qopt_rt_program &program = *context.model->program;
  context.inputs = static_cast<qopt_rt_input *>(
      calloc(program.inputCount + 1, sizeof(qopt_rt_input)));
  context.inputDims = static_cast<int64_t *>(
      calloc(context.model->inputDimCount + 1, sizeof(int64_t)));
  context.outputs =
      static_cast<Output *>(calloc(program.outputCount + 1, sizeof(Output)));
  if (!context.inputs || !context.inputDims || !context.outputs) {
    setText(error, "no memory for a context");
    return QOPT_NO_RESOURCE;
  }
  for (int64_t i = 0; i < program.outputCount; ++i) {
    Output *output = new (&context.outputs[i]) Output();
    output->dims = static_cast<int64_t *>(
        calloc(program.outputs[i].rank + 1, sizeof(int64_t)));
    if (!output->dims) {
      setText(error, "no memory for a context");
      return QOPT_NO_RESOURCE;
    }
  }
  if (context.options.parallel_for)
    return QOPT_OK;
  if (context.options.threads == 0) {
    int64_t cpus = countUsableCpus();
    context.options.threads = cpus < kMaxThreads ? cpus : kMaxThreads;
  }
  if (!context.pool.start(context.options.threads)) {
    setText(error, "cannot start %d threads", context.options.threads);
    return QOPT_NO_RESOURCE;
  }
  return QOPT_OK;
}

qopt_status qopt::runtime::createContext(const qopt_model *model,
                                         const qopt_context_options *options,
                                         qopt_context **context,
                                         TextBuffer error) {
  *context = nullptr;
  qopt_context_options chosen = {};
  if (options)
    chosen = *options;
  if (qopt_status status = checkOptions(chosen, error); status != QOPT_OK)
    return status;
  void *memory = aligned_alloc(alignof(qopt_context), sizeof(qopt_context));
  if (!memory) {
    setText(error, "no memory for a context");
    return QOPT_NO_RESOURCE;
  }
  qopt_context *created = new (memory) qopt_context();
  created->model = model;
  created->options = chosen;
  created->process = getpid();
  if (qopt_status status = fillContext(*created, error); status != QOPT_OK) {
    destroyContext(created);
    return status;
  }
  *context = created;
  return QOPT_OK;
}

void qopt::runtime::destroyContext(qopt_context *context) {
  if (!context)
    return;
  if (context->process == getpid())
    context->pool.stop();
  if (context->device && context->process == getpid())
    context->destroyDevice(context->device);
  context->arena.release();
  context->states.unbind();
  if (context->outputs)
    for (int64_t i = 0; i < context->model->program->outputCount; ++i) {
      free(context->outputs[i].own);
      free(context->outputs[i].dims);
    }
  free(context->outputs);
  free(context->inputDims);
  free(context->inputs);
  context->~qopt_context();
  free(context);
}

static qopt_status runEntry(qopt_context &context) {
  DefaultFloatMode mode;
  const qopt_model &model = *context.model;
  qopt_status status = model.entry(&context, model.weights.getData(),
                                   context.inputs, /*unused=*/nullptr);
  if (status != QOPT_OK)
    return failRun(context, status, "the model failed with status %d", status);
  if (context.hasFailed)
    return QOPT_INTERNAL;
  for (int64_t i = 0; i < model.program->outputCount; ++i)
    if (!context.outputs[i].data)
      return failRun(context, QOPT_INTERNAL, "output \"%s\" was not made",
                     model.program->outputs[i].name);
  return QOPT_OK;
}

/// Moves outputs that could not be made in the host's buffer but fit there.
static void deliverOutputs(qopt_context &context, qopt_tensor *outputs) {
  for (int64_t i = 0; i < context.model->program->outputCount; ++i) {
    Output &output = context.outputs[i];
    if (output.offered && output.data != output.offered &&
        output.sizeInBytes <= output.offeredCapacity) {
      memcpy(output.offered, output.data, output.sizeInBytes);
      output.data = output.offered;
    }
    if (outputs)
      getOutput(&context, i, &outputs[i]);
  }
}

qopt_status qopt::runtime::runContext(qopt_context *context,
                                      const qopt_tensor *inputs,
                                      qopt_tensor *outputs) {
  const qopt_rt_program &program = *context->model->program;
  context->error[0] = '\0';
  context->hasFailed = false;
  context->hasOutputs = false;
  context->loops.numIterations = 0;
  if (context->options.threads > 1 && context->process != getpid())
    return failRun(*context, QOPT_BAD_USE,
                   "the context was made before a fork; make a new one");
  context->arena.reset();
  for (int64_t i = 0; i < program.outputCount; ++i) {
    Output &output = context->outputs[i];
    output.data = nullptr;
    // An entry that still describes the last run offers our own memory.
    bool isOffer = outputs && outputs[i].data && outputs[i].data != output.own;
    output.offered = isOffer ? outputs[i].data : nullptr;
    output.offeredCapacity = isOffer ? outputs[i].capacity_in_bytes : 0;
  }
  States &states = context->states;
  if (states.areBound()) {
    inputs = states.completeInputs(*context, inputs);
    if (!inputs)
      return QOPT_BAD_DATA;
    states.offerOutputs(*context);
  }
  if (qopt_status status = prepareInputs(*context, inputs); status != QOPT_OK)
    return status;
  if (qopt_status status = runEntry(*context); status != QOPT_OK)
    return status;
  if (states.areBound())
    if (qopt_status status = states.take(*context); status != QOPT_OK)
      return status;
  context->hasOutputs = true;
  deliverOutputs(*context, outputs);
  return QOPT_OK;
}

qopt_status qopt::runtime::limitLoops(qopt_context *context,
                                      int64_t maxIterations,
                                      qopt_interrupt interrupt,
                                      void *interruptUser) {
  if (maxIterations < 0)
    return QOPT_BAD_USE;
  context->loops = {maxIterations, interrupt, interruptUser};
  return QOPT_OK;
}

qopt_status qopt::runtime::getOutput(const qopt_context *context, int64_t index,
                                     qopt_tensor *output) {
  const qopt_rt_program &program = *context->model->program;
  if (!context->hasOutputs || index < 0 || index >= program.outputCount)
    return QOPT_BAD_USE;
  const Output &made = context->outputs[index];
  output->data = made.data;
  output->dims = made.dims;
  output->rank = made.rank;
  output->element_type = program.outputs[index].element_type;
  output->reserved = 0;
  output->capacity_in_bytes =
      made.data == made.own ? made.ownCapacity : made.offeredCapacity;
  return QOPT_OK;
}
