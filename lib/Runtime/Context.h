//===- Context.h - The state of runs ----------------------------*- C++ -*-===//
//
// Threads, memory, outputs and the text of the last failure. One thread at a
// time may run a context.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_CONTEXT_H
#define QOPT_LIB_RUNTIME_CONTEXT_H

#include "Arena.h"
#include "Model.h"
#include "States.h"
#include "ThreadPool.h"

namespace qopt::runtime {

/// One output of the last run.
struct Output {
  /// Memory of the context, kept from run to run.
  void *own = nullptr;
  uint64_t ownCapacity = 0;
  int64_t *dims = nullptr;
  int64_t rank = 0;
  uint64_t sizeInBytes = 0;
  /// What the host offered for this run.
  void *offered = nullptr;
  uint64_t offeredCapacity = 0;
  /// Where the elements are; null until the run has made the output.
  void *data = nullptr;
};

/// What bounds the loops of a run.
struct LoopLimit {
  /// 0: as many as they need.
  int64_t maxIterations = 0;
  qopt_interrupt interrupt = nullptr;
  void *interruptUser = nullptr;
  /// Of the run so far.
  int64_t numIterations = 0;
  /// When `interrupt` is asked next, by the coarse clock.
  int64_t nextAskInMilliseconds = 0;
};

} // namespace qopt::runtime

struct qopt_context {
  const qopt_model *model = nullptr;
  qopt_context_options options = {};
  qopt::runtime::ThreadPool pool;
  qopt::runtime::Arena arena;
  qopt_rt_input *inputs = nullptr;
  int64_t *inputDims = nullptr;
  qopt::runtime::Output *outputs = nullptr;
  qopt::runtime::States states;
  /// Set once in a run, by whichever thread fails first.
  std::atomic<bool> hasFailed{false};
  bool hasOutputs = false;
  qopt::runtime::LoopLimit loops;
  /// The process that made the threads: a fork has none of them.
  int32_t process = 0;
  /// What code for a device keeps from run to run, and what ends it.
  void *device = nullptr;
  void (*destroyDevice)(void *device) = nullptr;
  char error[512] = {};
};

namespace qopt::runtime {

qopt_status createContext(const qopt_model *model,
                          const qopt_context_options *options,
                          qopt_context **context, TextBuffer error);
void destroyContext(qopt_context *context);

/// Checks `inputs` against the model and leaves them in `context.inputs`, in
/// the arena where they are not fit to be used in place. Returns a status; the
/// text goes to the context.
qopt_status prepareInputs(qopt_context &context, const qopt_tensor *inputs);

qopt_status runContext(qopt_context *context, const qopt_tensor *inputs,
                       qopt_tensor *outputs);
qopt_status getOutput(const qopt_context *context, int64_t index,
                      qopt_tensor *output);

/// As `limit_loops` of the API.
qopt_status limitLoops(qopt_context *context, int64_t maxIterations,
                       qopt_interrupt interrupt, void *interruptUser);

/// Bytes of one element.
uint64_t getElementSize(int64_t elementType);

/// Records a failure of the run unless one is recorded. Returns `status`.
__attribute__((format(printf, 3, 4))) qopt_status failRun(qopt_context &context,
                                                          qopt_status status,
                                                          const char *format,
                                                          ...);

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_CONTEXT_H
