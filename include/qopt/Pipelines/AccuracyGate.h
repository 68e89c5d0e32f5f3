//===- AccuracyGate.h - The accuracy that a compile must keep ---*- C++ -*-===//
//
// Outputs of the quantized program are compared with those of the float one on
// the calibration samples.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_PIPELINES_ACCURACYGATE_H
#define QOPT_PIPELINES_ACCURACYGATE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace qopt {

/// How far one output is from the float one, over all samples.
struct OutputAccuracy {
  std::string output;
  double cosine = 1;
  /// Infinite where the outputs are equal.
  double sqnrInDecibels = 0;
  double largestError = 0;
};

/// A bound on every output: `cosine>=0.99`, `sqnr>=20` or `max-error<=0.1`.
struct AccuracyGate {
  std::string metric;
  double bound = 0;

  static llvm::Expected<AccuracyGate> parse(llvm::StringRef text);
  /// Fails, naming the output, where one does not keep the bound.
  llvm::Error check(llvm::ArrayRef<OutputAccuracy> outputs) const;
};

} // namespace qopt

#endif
