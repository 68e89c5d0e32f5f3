//===- LoopFormulas.h - The formula of every op of loops --------*- C++ -*-===//
//
// One dispatch from ops to `formula`: those of QOptLoopOps.td, which have no
// other code, and those that have faster kernels beside.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_LOOPFORMULAS_H
#define DIALECTS_QOPT_NUMERICS_LOOPFORMULAS_H

#include "dialects/QOpt/IR/LoopOps.h"
#include "dialects/QOpt/Numerics/ContractionFormulas.h"
#include "dialects/QOpt/Numerics/CopyFormulas.h"
#include "dialects/QOpt/Numerics/ImageFormulas.h"
#include "dialects/QOpt/Numerics/IndexingFormulas.h"
#include "dialects/QOpt/Numerics/MovementFormulas.h"
#include "dialects/QOpt/Numerics/ReductionFormulas.h"
#include "dialects/QOpt/Numerics/SearchFormulas.h"
#include "dialects/QOpt/Numerics/WindowFormulas.h"

namespace qopt::numerics {

/// Calls `fn` with `op` as the op with a formula of loops that it is; false for
/// any other.
template <class Fn> bool dispatchFormula(mlir::Operation *op, Fn fn) {
  if (dispatchLoopOp(op, fn))
    return true;
  return llvm::TypeSwitch<mlir::Operation *, bool>(op)
      .Case<AveragePoolOp, ConcatOp, ConstantOfShapeOp, ConvOp, ExpandOp,
            GatherOp, GlobalAveragePoolOp, HadamardOp, LayerNormOp, MatMulOp,
            MaxPoolOp, PadOp, RangeOp, ReduceOp, ShapeOp, SliceOp, SoftmaxOp,
            SplitOp, TransposeOp>([&](auto other) {
        fn(other);
        return true;
      })
      .Default([](mlir::Operation *) { return false; });
}

/// True when `op` has a formula of loops, and for its types too: what looks at
/// elements knows those that have a kind.
inline bool hasFormula(mlir::Operation *op) {
  if (auto reduce = llvm::dyn_cast<ReduceOp>(op))
    return hasFormula(reduce);
  if (llvm::isa<ConvOp, MatMulOp>(op))
    return hasFormula(llvm::cast<ContractionOpInterface>(op));
  if (auto softmax = llvm::dyn_cast<SoftmaxOp>(op))
    return isRealElement(typeOf(softmax.getX()).getElementType());
  if (llvm::isa<AveragePoolOp, GlobalAveragePoolOp, HadamardOp, LayerNormOp>(
          op))
    return llvm::all_of(op->getOperands(), [](mlir::Value operand) {
      return isFloatElement(typeOf(operand).getElementType());
    });
  if (auto pool = llvm::dyn_cast<MaxPoolOp>(op)) {
    auto kind = getValueKind(typeOf(pool.getX()).getElementType());
    return kind && *kind != ValueKind::Bool && *kind != ValueKind::Double &&
           !typeOf(pool.getX()).getElementType().isUnsignedInteger(64);
  }
  if (auto constant = llvm::dyn_cast<ConstantOfShapeOp>(op)) {
    llvm::Expected<HostTensor> value = readElements(constant.getValue());
    return value ? true : (llvm::consumeError(value.takeError()), false);
  }
  return dispatchFormula(op, [](auto) {});
}

/// Runs, or writes, the formula of `op`, which has one.
template <class P> void runFormula(P &policy, mlir::Operation *op) {
  dispatchFormula(op, [&](auto known) { formula(policy, known); });
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_LOOPFORMULAS_H
