//===- Services.cpp - What generated code calls -----------------*- C++ -*-===//
//
// Each function finds what it needs in the context; nothing is global.
//
//===----------------------------------------------------------------------===//

#include "Services.h"
#include "Context.h"
#include "Cpu.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

using namespace qopt::runtime;

namespace {
/// A task on threads of the host, which may have any floating-point mode.
struct HostTask {
  qopt_task task;
  void *args;
};
} // namespace

static void runHostTask(void *state, int64_t part, int64_t thread) {
  DefaultFloatMode mode;
  HostTask *hostTask = static_cast<HostTask *>(state);
  hostTask->task(hostTask->args, part, thread);
}

void *qopt_rt_alloc(qopt_context *context, int64_t bytes) {
  void *data = context->arena.allocate(bytes);
  if (!data)
    failRun(*context, QOPT_NO_RESOURCE, "no memory for %lld bytes",
            static_cast<long long>(bytes));
  return data;
}

void qopt_rt_free(qopt_context *context, void *data) {
  context->arena.free(data);
}

void qopt_rt_parallel(qopt_context *context, qopt_task task, void *args,
                      int64_t parts) {
  const qopt_context_options &options = context->options;
  if (!options.parallel_for)
    return context->pool.run(task, args, parts);
  HostTask hostTask = {task, args};
  options.parallel_for(options.parallel_for_user, runHostTask, &hostTask,
                       parts);
}

int64_t qopt_rt_threads(qopt_context *context) {
  return context->options.threads;
}

void *qopt_rt_output(qopt_context *context, int32_t index, const int64_t *dims,
                     int64_t rank, int64_t bytes) {
  const qopt_rt_program &program = *context->model->program;
  if (index < 0 || index >= program.outputCount || bytes < 0 ||
      rank != program.outputs[index].rank) {
    failRun(*context, QOPT_INTERNAL, "the model made an output %d of rank %lld",
            index, static_cast<long long>(rank));
    return nullptr;
  }
  Output &output = context->outputs[index];
  if (rank != 0)
    memcpy(output.dims, dims, rank * sizeof(int64_t));
  output.rank = rank;
  output.sizeInBytes = bytes;
  uint64_t needed = static_cast<uint64_t>(bytes) + QOPT_BUFFER_SLACK;
  if (output.offered && output.offeredCapacity >= needed &&
      reinterpret_cast<uintptr_t>(output.offered) % QOPT_BUFFER_ALIGNMENT ==
          0) {
    output.data = output.offered;
    return output.data;
  }
  if (output.ownCapacity < needed) {
    free(output.own);
    uint64_t capacity = (needed + QOPT_BUFFER_ALIGNMENT - 1) /
                        QOPT_BUFFER_ALIGNMENT * QOPT_BUFFER_ALIGNMENT;
    output.own = aligned_alloc(QOPT_BUFFER_ALIGNMENT, capacity);
    output.ownCapacity = output.own ? capacity : 0;
  }
  if (!output.own)
    failRun(*context, QOPT_NO_RESOURCE,
            "no memory for output \"%s\" of %lld bytes",
            program.outputs[index].name, static_cast<long long>(bytes));
  output.data = output.own;
  return output.data;
}

int32_t qopt_rt_append(qopt_context *context, int32_t index, int32_t axis,
                       const int64_t *dims, int64_t rank, int64_t bytes,
                       qopt_rt_place *place) {
  if (context->states.areBound())
    return context->states.append(*context, index, dims, rank, *place);
  place->data = qopt_rt_output(context, index, dims, rank, bytes);
  place->slots = dims[axis];
  return place->data ? QOPT_OK : QOPT_NO_RESOURCE;
}

int32_t qopt_rt_fail(qopt_context *context, int32_t code, const char *message) {
  return failRun(*context, code, "%s", message);
}

void qopt_rt_observe(qopt_context *context, int32_t id, const void *data,
                     const int64_t *dims, int64_t rank) {
  if (context->options.observer)
    context->options.observer(context->options.observer_user, id, data, dims,
                              rank);
}

/// How long a host that wants a run to end waits at most for the loop to ask.
static constexpr int64_t kAskEveryMilliseconds = 20;

static bool isInterrupted(LoopLimit &loops) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  int64_t milliseconds = now.tv_sec * 1000 + now.tv_nsec / 1000000;
  if (milliseconds < loops.nextAskInMilliseconds)
    return false;
  loops.nextAskInMilliseconds = milliseconds + kAskEveryMilliseconds;
  return loops.interrupt(loops.interruptUser) != 0;
}

int32_t qopt_rt_iterate(qopt_context *context) {
  LoopLimit &loops = context->loops;
  ++loops.numIterations;
  if (loops.maxIterations != 0 && loops.numIterations > loops.maxIterations)
    return failRun(*context, QOPT_BAD_DATA,
                   "the loops of the run take more than %lld iterations, the "
                   "most that were allowed",
                   static_cast<long long>(loops.maxIterations));
  if (loops.interrupt && isInterrupted(loops))
    return failRun(*context, QOPT_INTERRUPTED, "interrupted");
  return QOPT_OK;
}
