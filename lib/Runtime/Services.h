//===- Services.h - What generated code calls -------------------*- C++ -*-===//
//
// The only functions of ours that a kernel or a main function may call.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_SERVICES_H
#define QOPT_LIB_RUNTIME_SERVICES_H

#include "Program.h"

extern "C" {

/// Memory until `qopt_rt_free` or the end of the run: 64-byte aligned, not
/// cleared, with slack behind it. Null when there is none; the text for the
/// user is then recorded and the caller returns QOPT_NO_RESOURCE.
QOPT_RT_HIDDEN void *qopt_rt_alloc(qopt_context *context, int64_t bytes);
QOPT_RT_HIDDEN void qopt_rt_free(qopt_context *context, void *data);

/// Runs `task(args, part, thread)` for all parts in [0, parts). Must not be
/// called from within a task.
QOPT_RT_HIDDEN void qopt_rt_parallel(qopt_context *context, qopt_task task,
                                     void *args, int64_t parts);
QOPT_RT_HIDDEN int64_t qopt_rt_threads(qopt_context *context);

/// The buffer of output `index`, which has these dims. Called once an output.
/// Null as for `qopt_rt_alloc`.
QOPT_RT_HIDDEN void *qopt_rt_output(qopt_context *context, int32_t index,
                                    const int64_t *dims, int64_t rank,
                                    int64_t bytes);

/// Where a state lies.
struct qopt_rt_place {
  void *data;
  /// What the axis that grows has memory for.
  int64_t slots;
};

/// As `qopt_rt_output` for an output that goes on from a state along `axis`:
/// where states are kept, `place` is that of the state, and what it had stands
/// in front. Returns a status; what is not QOPT_OK the caller returns at once.
QOPT_RT_HIDDEN int32_t qopt_rt_append(qopt_context *context, int32_t index,
                                      int32_t axis, const int64_t *dims,
                                      int64_t rank, int64_t bytes,
                                      qopt_rt_place *place);

/// Records the text of the first failure of a run. Returns `code`.
QOPT_RT_HIDDEN int32_t qopt_rt_fail(qopt_context *context, int32_t code,
                                    const char *message);

/// Counts an iteration of a loop of the main function. QOPT_OK, or what the
/// function returns at once: the loops' limit is reached, or the host wants the
/// run to end.
QOPT_RT_HIDDEN int32_t qopt_rt_iterate(qopt_context *context);

/// Shows a value to the host's observer, if there is one.
QOPT_RT_HIDDEN void qopt_rt_observe(qopt_context *context, int32_t id,
                                    const void *data, const int64_t *dims,
                                    int64_t rank);

} // extern "C"

#endif // QOPT_LIB_RUNTIME_SERVICES_H
