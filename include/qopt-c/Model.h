/*===- qopt-c/Model.h - Runs compiled models ----------------------*- C -*-===*\
|*
|* A loaded model belongs to one thread at a time. Tensors are those of the C
|* ABI of compiled models.
|*
\*===----------------------------------------------------------------------===*/

#ifndef QOPT_C_MODEL_H
#define QOPT_C_MODEL_H

#include "qopt-c/Support.h"
#include "qopt-runtime/qopt_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A compiled model that is loaded. One thread at a time may run it. */
typedef struct QoptModel QoptModel;

/** Loads the compiled model at `path`. */
QOPT_C_API QoptError *qoptModelLoad(const char *path, QoptModel **model);
/** Null is allowed. Results of its runs live on. */
QOPT_C_API void qoptModelDestroy(QoptModel *model);

/** How many inputs and outputs a run takes and gives. */
QOPT_C_API int64_t qoptModelGetNumInputs(const QoptModel *model);
QOPT_C_API int64_t qoptModelGetNumOutputs(const QoptModel *model);
/** `index` must be in range. */
QOPT_C_API qopt_value_info qoptModelGetInput(const QoptModel *model,
                                             int64_t index);
QOPT_C_API qopt_value_info qoptModelGetOutput(const QoptModel *model,
                                              int64_t index);
/** Inputs, outputs, tiers and manifest as JSON. */
QOPT_C_API const char *qoptModelDescribe(const QoptModel *model);
/** For the runs that follow; 0: one for each CPU. */
QOPT_C_API QoptError *qoptModelSetThreads(QoptModel *model, int32_t threads);

/** For the runs that follow: all loops of a run together take at most as many
    iterations; 0: as many as they need. */
QOPT_C_API QoptError *qoptModelSetMaxIterations(QoptModel *model,
                                                int64_t iterations);
/** For the runs that follow: `interrupt` is asked now and then by loops, on the
    thread that runs, and ends the run unless it gives 0; null: none is. */
QOPT_C_API void qoptModelSetInterrupt(QoptModel *model,
                                      qopt_interrupt interrupt, void *user);

/** States: outputs that feed inputs of the next run, as qoptModelDescribe lists
    them. */

/** From the next run on the model keeps them. Tensors for their inputs are not
    read, and results of their outputs have no data. `capacity` is what their
    lengths may grow to; 0: as the model was compiled. */
QOPT_C_API QoptError *qoptModelBindStates(QoptModel *model, int64_t capacity);
/** They are inputs and outputs again. */
QOPT_C_API void qoptModelUnbindStates(QoptModel *model);
/** The next run begins a new sequence. */
QOPT_C_API void qoptModelResetStates(QoptModel *model);
/** How long the first state is that grows; 0 where nothing is kept. */
QOPT_C_API int64_t qoptModelGetStateLength(const QoptModel *model);
/** Goes on from copies of the states of `from`, which has loaded the same
    file. */
QOPT_C_API QoptError *qoptModelForkStates(QoptModel *model,
                                          const QoptModel *from);
/** Whether input or output `index` is kept. */
QOPT_C_API int qoptModelIsInputKept(const QoptModel *model, int64_t index);
QOPT_C_API int qoptModelIsOutputKept(const QoptModel *model, int64_t index);

/** The outputs of one run. */
typedef struct QoptResults QoptResults;

/** Runs the model on one tensor for each input. Data are not changed. */
QOPT_C_API QoptError *qoptModelRun(QoptModel *model, const qopt_tensor *inputs,
                                   QoptResults **results);
/** Output `index`, which must be in range. */
QOPT_C_API qopt_tensor qoptResultsGet(const QoptResults *results,
                                      int64_t index);
/** Null is allowed. */
QOPT_C_API void qoptResultsDestroy(QoptResults *results);

/** The name of an element type, as in `f32`; null if there is none. */
QOPT_C_API const char *qoptElementTypeGetName(qopt_element_type type);
/** The element type as which numpy holds elements of `type`: bit patterns for
    types that it does not have. */
QOPT_C_API qopt_element_type
qoptElementTypeGetNumpyType(qopt_element_type type);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* QOPT_C_MODEL_H */
