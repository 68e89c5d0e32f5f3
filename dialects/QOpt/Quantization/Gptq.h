//===- Gptq.h - Rounding that makes up for its own errors -------*- C++ -*-===//
//
// GPTQ (arXiv 2210.17323): products of a weight are rounded one after the
// other, and what one rounding loses is added to the weights that are still to
// come, as the second moments of the activations say. Scales are fixed
// beforehand, so the order of rounding is free.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_GPTQ_H
#define DIALECTS_QOPT_QUANTIZATION_GPTQ_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace qopt {

/// A weight of `outputs` rows by `products` columns, and the second moments of
/// what it is multiplied with.
struct GptqProblem {
  int64_t outputs, products;
  /// outputs x products, row major.
  std::vector<double> weight;
  /// products x products, symmetric, no negative eigenvalue. A positive factor
  /// changes nothing.
  llvm::ArrayRef<double> hessian;
};

struct GptqOptions {
  /// Part of the mean of the diagonal that is added to it.
  double damping = 0.01;
  /// Products with large second moments are rounded first.
  bool ordersByMoment = true;
  /// Products whose errors are passed on together; changes no result but the
  /// last bits.
  int64_t batch = 128;
};

/// The rounded value for a weight `value` at (output, product).
using RoundWeight =
    llvm::function_ref<double(int64_t output, int64_t product, double value)>;

/// The rounded weight, outputs x products. Fails when the moments, with
/// damping, are not positive definite.
llvm::Expected<std::vector<double>>
gptq(const GptqProblem &problem, const GptqOptions &options, RoundWeight round);

/// tr(D H D^T) for the difference D of the problem's weight and `rounded`.
double proxyLoss(const GptqProblem &problem, llvm::ArrayRef<double> rounded);

} // namespace qopt

#endif
