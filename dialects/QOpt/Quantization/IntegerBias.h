//===- IntegerBias.h - Biases in sums of codes ------------------*- C++ -*-===//
//
// A bias joins the integer sum of a contraction where codes follow and where it
// leaves that sum room. The passes and the exporter ask the same questions.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_INTEGERBIAS_H
#define DIALECTS_QOPT_QUANTIZATION_INTEGERBIAS_H

#include "mlir/IR/Value.h"
#include <cstdint>

namespace qopt {

/// Biases, in steps of the sum, are below it: larger ones leave the sum no room
/// in i32.
inline constexpr int64_t kMaxIntegerBias = int64_t(1) << 30;
/// Sums of products are not above it: a bias still fits on top.
inline constexpr int64_t kMaxSumOfProducts = kMaxIntegerBias;

/// True when nothing but a quantizer with one scale reads the sum, or a clamp
/// in front of it.
bool becomesCodes(mlir::Value sum);

} // namespace qopt

#endif
