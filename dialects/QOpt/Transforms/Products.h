//===- Products.h - Products as exporters associate them --------*- C++ -*-===//
//
// x * 0.5 * f, (x * f) * 0.5 and f * (x / 2) are one product. Patterns look at
// its factors and its coefficient, not at the tree.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_PRODUCTS_H
#define DIALECTS_QOPT_TRANSFORMS_PRODUCTS_H

#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt {

/// A tree of `mul`, and of `div` by a constant, whose inner values have no user
/// outside of it.
struct Product {
  double coefficient = 1.0;
  llvm::SmallVector<mlir::Value> factors;
  llvm::SmallVector<mlir::Operation *> ops;

  /// True if the factors are `a` and `b`, in any order.
  bool isOf(mlir::Value a, mlir::Value b) const;
  /// The factor that `OpTy` makes for a single user, or null.
  template <typename OpTy> OpTy getFactor() const {
    for (mlir::Value factor : factors)
      if (auto op = factor.getDefiningOp<OpTy>(); op && op->hasOneUse())
        return op;
    return OpTy();
  }
};

/// The product that `value` is; a value that no product makes is its own
/// factor.
Product getProduct(mlir::Value value);

/// True if `found` is `expected` but for the rounding of exporters.
bool isAbout(double found, double expected);

} // namespace qopt

#endif
