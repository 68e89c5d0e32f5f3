//===- CodeClamp.h - Limits of a value as limits of its codes ---*- C++ -*-===//
//
// A ReLU or a clip in front of a quantizer is the range of the codes.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_CODECLAMP_H
#define DIALECTS_QOPT_QUANTIZATION_CODECLAMP_H

#include "dialects/QOpt/IR/QOptOps.h"
#include <cmath>

namespace qopt {

/// A range of reals; infinite where nothing limits.
struct Clamp {
  float low = -INFINITY, high = INFINITY;
};

/// Codes from the first to the second one.
using CodeRange = std::pair<int64_t, int64_t>;

/// What a ReLU or clip that makes `x` limits, with its limits in `clamp`; `x`
/// itself when there is none, or when something else reads the limited value.
mlir::Value peelClamp(mlir::Value x, Clamp &clamp);

/// The codes of `type` that stand for values inside of `clamp`.
CodeRange getCodeRange(mlir::IntegerType type, Clamp clamp, double scale,
                       int64_t zero);

} // namespace qopt

#endif
