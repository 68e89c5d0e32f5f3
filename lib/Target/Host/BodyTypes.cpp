//===- BodyTypes.cpp - Types that kernels have code for -------------------===//
//
// The formulas are asked themselves, with zeros: what they refuse on the host
// they refuse in vectors.
//
//===----------------------------------------------------------------------===//

#include "BodyTypes.h"
#include "HostProgram.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Numerics/ElementwiseOps.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

using Element = numerics::ElementValue<numerics::ScalarPolicy>;

/// A zero of the kind that values of `type` are.
static std::optional<Element> zeroOf(Type type) {
  std::optional<numerics::ValueKind> kind = numerics::getValueKind(type);
  if (!kind)
    return std::nullopt;
  switch (*kind) {
  case numerics::ValueKind::Float:
    return Element(0.0f);
  case numerics::ValueKind::Bool:
    return Element(false);
  case numerics::ValueKind::Int:
    return Element(int32_t(0));
  case numerics::ValueKind::Long:
    return Element(int64_t(0));
  case numerics::ValueKind::Double:
    return Element(0.0);
  }
  llvm_unreachable("a kind of values");
}

/// The type that `op`, which is element-wise, has no formula for; null where it
/// has one.
static Type findTypeWithoutFormula(Operation *op) {
  SmallVector<Element> zeros;
  for (Value operand : op->getOperands()) {
    Type type = getElementTypeOrSelf(operand);
    std::optional<Element> zero = zeroOf(type);
    if (!zero)
      return type;
    zeros.push_back(*zero);
  }
  Type result = getElementTypeOrSelf(op->getResult(0));
  if (!zeroOf(result))
    return result;
  // A table has no formula, but bytes.
  if (isa<LookupOp>(op))
    return {};
  Type operand = getElementTypeOrSelf(op->getOperand(isa<WhereOp>(op) ? 1 : 0));
  numerics::ScalarPolicy policy;
  auto value = numerics::evaluateElementwise<numerics::ScalarPolicy>(
      policy, op, zeros, operand, result);
  return succeeded(value) ? Type() : operand;
}

kernel::Match host::unsupported(Type element) {
  std::string text;
  llvm::raw_string_ostream(text) << "elements are of type " << element;
  return kernel::Match::failure(text);
}

kernel::Match HostProgram::checkBody(Operation *op) {
  if (!kernel::isKernel(op))
    return kernel::Match::success();
  Block &body = op->getRegion(0).front();
  for (Operation &inner : body.without_terminator())
    if (kernel::isEpilogueOp(&inner))
      if (Type type = findTypeWithoutFormula(&inner))
        return unsupported(type);
  for (Value result : body.getTerminator()->getOperands())
    if (!zeroOf(getElementTypeOrSelf(result)))
      return unsupported(getElementTypeOrSelf(result));
  return kernel::Match::success();
}
