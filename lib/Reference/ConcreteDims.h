//===- ConcreteDims.h - Result dims of a run --------------------*- C++ -*-===//
//
// The dim policy of plain numbers. Dims that do not broadcast are remembered in
// `problem`: policies have no way to fail. Sums and products saturate, because
// a slice may end at the largest number; no tensor of such a size is allocated.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_REFERENCE_CONCRETEDIMS_H
#define LIB_REFERENCE_CONCRETEDIMS_H

#include "Elements.h"
#include "dialects/QOpt/IR/ShapeFunctions.h"
#include "llvm/Support/MathExtras.h"
#include <limits>
#include <string>

namespace qopt::reference {

class ConcreteDims {
public:
  using Dim = int64_t;

  ConcreteDims(mlir::Operation *op, llvm::ArrayRef<HostTensor> operands)
      : op(op), operands(operands) {}

  /// Why the dims are wrong; empty when they are right.
  std::string problem;

  Dim constant(int64_t value) { return value; }
  std::optional<int64_t> known(Dim dim) { return dim; }
  bool isSame(Dim a, Dim b) { return a == b; }
  Dim add(Dim a, Dim b) {
    Dim result;
    return llvm::AddOverflow(a, b, result) ? getBound(a < 0) : result;
  }
  Dim sub(Dim a, Dim b) {
    Dim result;
    return llvm::SubOverflow(a, b, result) ? getBound(a < 0) : result;
  }
  Dim mul(Dim a, Dim b) {
    Dim result;
    return llvm::MulOverflow(a, b, result) ? getBound((a < 0) != (b < 0))
                                           : result;
  }
  Dim min(Dim a, Dim b) { return std::min(a, b); }
  Dim max(Dim a, Dim b) { return std::max(a, b); }
  Dim floorDiv(Dim a, Dim b) { return b == 0 ? 0 : a / b; }
  Dim ceilDiv(Dim a, Dim b) { return b == 0 ? 0 : a / b + (a % b != 0); }
  Dim broadcast(Dim a, Dim b) {
    if (a != b && a != 1 && b != 1)
      problem = "dims " + std::to_string(a) + " and " + std::to_string(b) +
                " do not broadcast";
    return a == 1 ? b : a;
  }
  Dim selectEqual(Dim a, int64_t b, Dim x, Dim y) { return a == b ? x : y; }
  Dim selectNegative(Dim a, Dim x, Dim y) { return a < 0 ? x : y; }

  llvm::SmallVector<Dim> dimsOf(mlir::Value value) {
    return llvm::SmallVector<Dim>(tensorOf(value).getDims());
  }
  llvm::SmallVector<Dim> elementsOf(mlir::Value value) {
    const HostTensor &tensor = tensorOf(value);
    llvm::SmallVector<Dim> elements;
    if (!isInteger(tensor.getType()) || tensor.getRank() > 1)
      problem = "expects a list of integers, but found " +
                formatDims(tensor.getDims()) + " " +
                getName(tensor.getType()).str();
    else
      for (int64_t i = 0; i < tensor.getNumElements(); ++i)
        elements.push_back(readInteger(tensor, i));
    // Shape rules read one number for each axis, or the only number.
    size_t expected = elements.size();
    if (auto slice = mlir::dyn_cast<SliceOp>(op))
      expected = slice.getAxes().size();
    else if (mlir::isa<RangeOp>(op))
      expected = 1;
    if (elements.size() != expected && problem.empty())
      problem = "expects " + std::to_string(expected) + " numbers, but found " +
                std::to_string(elements.size());
    elements.resize(expected, 0);
    return elements;
  }

private:
  static Dim getBound(bool isNegative) {
    return isNegative ? std::numeric_limits<Dim>::min()
                      : std::numeric_limits<Dim>::max();
  }
  const HostTensor &tensorOf(mlir::Value value) {
    return operands[llvm::find(op->getOperands(), value) -
                    op->getOperands().begin()];
  }

  mlir::Operation *op;
  llvm::ArrayRef<HostTensor> operands;
};

} // namespace qopt::reference

#endif // LIB_REFERENCE_CONCRETEDIMS_H
