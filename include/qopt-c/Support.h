/*===- qopt-c/Support.h - Errors and texts of the C API -----------*- C -*-===*\
|*
|* Every function that can fail returns an error, or null after success. What
|* a function returns by pointer belongs to the caller, who destroys it; what
|* it returns as `const` belongs to the object that it was asked of.
|*
\*===----------------------------------------------------------------------===*/

#ifndef QOPT_C_SUPPORT_H
#define QOPT_C_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define QOPT_C_API __attribute__((visibility("default")))
#else
#define QOPT_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Why a call failed. */
typedef struct QoptError QoptError;

/** The exit code with which a tool would end: 1 malformed model or data, 2
    wrong use, 3 valid but unsupported, 4 file, disk or memory, 5 not accurate
    enough, 70 a defect of qopt. */
QOPT_C_API int qoptErrorGetCode(const QoptError *error);
/** What is wrong; lines that start with `note: ` say what to do. */
QOPT_C_API const char *qoptErrorGetText(const QoptError *error);
/** Null is allowed. */
QOPT_C_API void qoptErrorDestroy(QoptError *error);

/** Text that a call returns. */
typedef struct QoptText QoptText;

/** Ends with a zero byte, and lives as long as `text`. */
QOPT_C_API const char *qoptTextGet(const QoptText *text);
/** Null is allowed. */
QOPT_C_API void qoptTextDestroy(QoptText *text);

/** The version of this library, as in `0.1.0`. */
QOPT_C_API const char *qoptGetVersion(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* QOPT_C_SUPPORT_H */
