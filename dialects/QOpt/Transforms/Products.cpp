//===- Products.cpp - Products as exporters associate them ----------------===//
//
// Trees of more factors than any pattern has are not taken apart.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Products.h"
#include "dialects/QOpt/Transforms/Constants.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

static constexpr size_t kMaxFactors = 4;

bool Product::isOf(Value a, Value b) const {
  return factors.size() == 2 && ((factors[0] == a && factors[1] == b) ||
                                 (factors[0] == b && factors[1] == a));
}

/// Takes a `mul` or a division by a constant apart.
static bool expand(Operation *op, Product &product) {
  if (!isa_and_nonnull<MulOp, DivOp>(op) ||
      product.factors.size() >= kMaxFactors)
    return false;
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  if (isa<DivOp>(op)) {
    std::optional<float> divisor = getScalarConstant(rhs);
    if (!divisor || *divisor == 0)
      return false;
    product.coefficient /= *divisor;
    product.factors.push_back(lhs);
  } else {
    for (Value operand : {lhs, rhs})
      if (std::optional<float> factor = getScalarConstant(operand))
        product.coefficient *= *factor;
      else
        product.factors.push_back(operand);
  }
  product.ops.push_back(op);
  return true;
}

Product qopt::getProduct(Value value) {
  Product product;
  if (!expand(value.getDefiningOp(), product)) {
    product.factors.push_back(value);
    return product;
  }
  for (size_t i = 0; i < product.factors.size();) {
    Value factor = product.factors[i];
    if (factor.hasOneUse() && expand(factor.getDefiningOp(), product))
      product.factors.erase(product.factors.begin() + i);
    else
      ++i;
  }
  return product;
}

bool qopt::isAbout(double found, double expected) {
  return std::abs(found - expected) <= 1.0e-5 * std::abs(expected);
}
