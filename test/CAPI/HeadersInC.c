/*===- HeadersInC.c - The C API from C ----------------------------*- C -*-===*\
|*
|* The headers are C99, and a model is compiled and run without C++.
|*
\*===----------------------------------------------------------------------===*/

#include "qopt-c/Compile.h"
#include "qopt-c/Model.h"

/* Compiles `onnx` to `library` and runs it on one row of zeros; the code of the
   first error, or 0 and the first result. */
int compileAndRunInC(const char *onnx, const char *library, int64_t columns,
                     const float *zeros, float *first) {
  QoptModel *model = NULL;
  QoptResults *results = NULL;
  const int64_t dims[2] = {1, columns};
  qopt_tensor input = {
      (void *)zeros,    dims, 2,
      QOPT_ELEMENT_F32, 0,    (uint64_t)columns * sizeof(float)};
  int code = 0;
  QoptError *error = qoptModelCompile(onnx, library, NULL, NULL);
  if (!error)
    error = qoptModelLoad(library, &model);
  if (!error)
    error = qoptModelRun(model, &input, &results);
  if (error)
    code = qoptErrorGetCode(error);
  else
    *first = *(const float *)qoptResultsGet(results, 0).data;
  qoptErrorDestroy(error);
  qoptResultsDestroy(results);
  qoptModelDestroy(model);
  return code;
}
