//===- ExactPolicy.h - Formulas with our own division -----------*- C++ -*-===//
//
// A Vulkan device may be 2.5 ulp off in a division. In front of a code that
// would be another code, so the quotient is made in integers there, 8 bits at a
// time, and rounded once.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_VULKAN_EXACTPOLICY_H
#define QOPT_LIB_TARGET_VULKAN_EXACTPOLICY_H

#include "dialects/QOpt/Numerics/MLIRPolicy.h"

namespace qopt::vulkan {

class ExactPolicy : public numerics::MLIRPolicy {
public:
  ExactPolicy(mlir::OpBuilder &builder, mlir::Location loc)
      : MLIRPolicy(builder, loc) {}

  /// x / y to nearest even, also where the result or an operand is subnormal.
  /// Of a D what the device makes.
  F div(F x, F y);

private:
  /// The significand of |x| with its leading bit at 23, and the exponent that
  /// belongs to it.
  void split(I magnitude, I &significand, I &exponent);
};

} // namespace qopt::vulkan

#endif
