//===- AccuracyGate.h - The accuracy that a compile must keep ---*- C++ -*-===//
//
// Outputs of the quantized program are compared with those of the float one on
// samples, if there are any that nothing was fitted to on those.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_PIPELINES_ACCURACYGATE_H
#define QOPT_PIPELINES_ACCURACYGATE_H

#include "qopt/Support/Distance.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace qopt {

/// How far one output is from the float one, over all samples.
struct OutputAccuracy : Distance {
  std::string output;
};

/// How far a quantized program is from its float one.
struct Accuracy {
  std::vector<OutputAccuracy> outputs;
  int64_t samples = 0;
  /// Ranges or weights were chosen by these very samples.
  bool isOnFitted = false;

  /// A line for each output.
  std::string describe() const;
  /// Says which outputs have an SQNR below the one that people take for broken;
  /// empty where none has.
  std::string findPoorOutputs() const;
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
