/*===- qopt-c/Compile.h - Compiles models -------------------------*- C -*-===*\
|*
|* What qopt-compile does. Calls from several threads are allowed.
|*
\*===----------------------------------------------------------------------===*/

#ifndef QOPT_C_COMPILE_H
#define QOPT_C_COMPILE_H

#include "qopt-c/Support.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a compile is asked for: the flags of qopt-compile. */
typedef struct QoptCompileOptions QoptCompileOptions;

/** The float program, for this machine, as a shared library. */
QOPT_C_API QoptCompileOptions *qoptCompileOptionsCreate(void);
/** Null is allowed. */
QOPT_C_API void qoptCompileOptionsDestroy(QoptCompileOptions *options);
/** Sets an option by the name of qopt-compile's flag, without the dashes:
    preset, recipe, calib, calib-cache, target, cpu, emit, report,
    fail-on-fallback, accuracy-gate, stop-after, start-from, shapes. `value` is
    what the flag takes. recipe-text takes the text of a recipe file. Fails for
    an unknown name, for a value that the flag does not take, and for a recipe
    beside a preset. */
QOPT_C_API QoptError *qoptCompileOptionsSet(QoptCompileOptions *options,
                                            const char *name,
                                            const char *value);

/** The targets that `target` and `cpu` take, and what of them runs here, as
    qopt-compile --list-targets --json prints it. */
QOPT_C_API QoptText *qoptTargetsDescribe(void);

/** Compiles the file `model` to the file `output`. `options` may be null.
    `report`, unless it is null, receives the contents of report.json. After an
    error there is no new file. */
QOPT_C_API QoptError *qoptModelCompile(const char *model, const char *output,
                                       const QoptCompileOptions *options,
                                       QoptText **report);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* QOPT_C_COMPILE_H */
