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

/// What moments say of how errors are passed on. It serves all outputs, so a
/// large weight can be rounded some outputs at a time.
struct GptqFactor {
  /// Products in the order in which they are rounded.
  std::vector<int64_t> order;
  /// The upper triangular U with U^T U = H^-1, H damped and in that order;
  /// row major.
  std::vector<double> upper;
};

/// Moments that are not positive definite get more damping, up to their mean;
/// fails when that does not make them so.
llvm::Expected<GptqFactor> factorMoments(llvm::ArrayRef<double> hessian,
                                         int64_t products,
                                         const GptqOptions &options);

/// The rounded value for a weight `value` at (output, product).
using RoundWeight =
    llvm::function_ref<double(int64_t output, int64_t product, double value)>;

/// Scales that are chosen when the products that share them are reached, from
/// what errors of the products before have made of their weights. Products are
/// then rounded in their own order: blocks with large second moments would
/// leave their errors to those that few rows make large.
struct ScaleChoices {
  /// Products that share a scale.
  int64_t block;
  /// How many scales a block may have.
  int64_t count;
  /// Gives the block of an output the scale `which` of those that its weights
  /// `values` allow.
  llvm::function_ref<void(int64_t output, int64_t firstProduct,
                          llvm::ArrayRef<double> values, int64_t which)>
      take;
};

/// The rounded weight, outputs x products. Each block of `choices` gets the
/// scale that leaves the least error; their `factor` does not order products.
std::vector<double> gptq(const GptqProblem &problem, const GptqFactor &factor,
                         const GptqOptions &options, RoundWeight round,
                         const ScaleChoices *choices = nullptr);

/// Gives one weight after the other the value that leaves the least loss while
/// all others stay, in rounds over all weights, until none changes or `rounds`
/// are over. The loss does not grow.
/// Greedy updates of QuIP (Chee et al. 2023), section 4.1.
void refine(const GptqProblem &problem, int64_t rounds,
            std::vector<double> &rounded, RoundWeight round);

/// tr(D H D^T) for the difference D of the problem's weight and `rounded`.
double proxyLoss(const GptqProblem &problem, llvm::ArrayRef<double> rounded);

} // namespace qopt

#endif
