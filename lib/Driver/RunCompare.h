//===- RunCompare.h - Results against expectations --------------*- C++ -*-===//
//
// An element x meets the expectation e when |x - e| <= atol + rtol * |e|, or
// when both are NaN or the same infinity.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNCOMPARE_H
#define LIB_DRIVER_RUNCOMPARE_H

#include "qopt/Execution/ModelRunner.h"
#include "qopt/Support/Distance.h"
#include <optional>

namespace qopt {

struct Tolerance {
  /// Nothing: exact for integers, 1e-5 for floats.
  std::optional<double> absolute, relative;
};

/// What to say about one output.
struct Comparison {
  int64_t numElements = 0;
  int64_t numDifferent = 0;
  /// Of the element that is furthest beyond what is allowed.
  llvm::SmallVector<int64_t> worstIndex;
  long double worstFound = 0, worstExpected = 0;
};

/// Compares tensors of one shape and type.
Comparison compareTensors(const HostTensor &found, const HostTensor &expected,
                          const Tolerance &tolerance);

/// Compares `results` with the arrays of the file `path`, which has one for
/// each output. NotAccurate, with the worst element of each output, when they
/// differ; BadData when the file has other arrays.
llvm::Error compareWithFile(llvm::ArrayRef<ModelValue> outputs,
                            llvm::ArrayRef<HostTensor> results,
                            llvm::StringRef path, const Tolerance &tolerance);

/// As `compareWithFile`, with expectations in the order of the outputs; `what`
/// names them.
llvm::Error compareResults(llvm::ArrayRef<ModelValue> outputs,
                           llvm::ArrayRef<HostTensor> results,
                           llvm::ArrayRef<HostTensor> expected,
                           llvm::StringRef what, const Tolerance &tolerance);

/// How far `found` is from `expected`, which has its shape.
Distance measureDistance(const HostTensor &found, const HostTensor &expected);

} // namespace qopt

#endif // LIB_DRIVER_RUNCOMPARE_H
