//===- ChannelFactors.h - Factors between channels and products -*- C++ -*-===//
//
// Channels of an activation are divided by factors that its weights take up.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_CHANNELFACTORS_H
#define LIB_TRANSFORMS_CHANNELFACTORS_H

#include "dialects/QOpt/Quantization/FactorSearch.h"

namespace qopt {

/// The weight [K, N] of a product whose activation has `stats` of its K
/// channels; nothing where it cannot be evaluated.
std::optional<HostTensor> evaluateWeight(MatMulOp matmul,
                                         const Statistics &stats);

/// Divides the channels of `activation` by the factors and multiplies by them
/// what the weights of `matmuls`, which all read it, have for each. Where a
/// norm with constants makes it for these alone, its scale and bias are
/// divided. The report learns of it under the name of `transform`.
///   in:   %y = qopt.matmul %x, %w
///   out:  %y = qopt.matmul (qopt.mul %x, 1 / s), (qopt.mul %w, s)
void applyFactors(mlir::Value activation,
                  llvm::ArrayRef<mlir::Operation *> matmuls,
                  const FactorChoice &choice, llvm::StringRef transform);

} // namespace qopt

#endif
