//===- RunCompare.h - Results against expectations --------------*- C++ -*-===//
//
// An element x meets the expectation e when |x - e| <= atol + rtol * |e|, or
// when both are NaN or the same infinity.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNCOMPARE_H
#define LIB_DRIVER_RUNCOMPARE_H

#include "RunOptions.h"
#include "qopt/Execution/ModelRunner.h"
#include "qopt/Support/Distance.h"

namespace qopt {

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

/// What `tolerance` allows `outputs`, as in `atol 1e-5, rtol 1e-5`.
std::string describeTolerance(const Tolerance &tolerance,
                              llvm::ArrayRef<ModelValue> outputs);

/// The arrays of the file `path`, which has one for each output, in their
/// order. BadData when the file has other arrays.
llvm::Expected<std::vector<HostTensor>>
readExpectations(llvm::ArrayRef<ModelValue> outputs, llvm::StringRef path);

/// NotAccurate, with the worst element of each output, when `results` are not
/// what is expected; `what` names the expectations.
llvm::Error compareResults(llvm::ArrayRef<ModelValue> outputs,
                           llvm::ArrayRef<HostTensor> results,
                           llvm::ArrayRef<HostTensor> expected,
                           llvm::StringRef what, const Tolerance &tolerance);

/// How far `found` is from `expected`, which has its shape.
Distance measureDistance(const HostTensor &found, const HostTensor &expected);

} // namespace qopt

#endif // LIB_DRIVER_RUNCOMPARE_H
