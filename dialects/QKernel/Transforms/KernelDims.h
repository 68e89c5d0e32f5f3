//===- KernelDims.h - Dims of a kernel as SSA values ------------*- C++ -*-===//
//
// The dims of what stands in a kernel, and of its results, from those of its
// operands. Who asks says what the operands are: in a program `index`, and i64
// where code is written.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_KERNELDIMS_H
#define DIALECTS_QKERNEL_TRANSFORMS_KERNELDIMS_H

#include "dialects/QKernel/Transforms/IntegerBuilder.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace qopt::kernel {

/// The number of a constant integer.
std::optional<int64_t> knownNumber(mlir::Value value);

/// True when two dims are known to be equal: one value, or one constant.
bool isSameDim(mlir::Value a, mlir::Value b);

/// Of two dims that were required to be equal, the one whose number is known.
mlir::Value knownDimOf(mlir::Value a, mlir::Value b);

/// The dim policy of SSA values, for one kernel or bare op.
class KernelDims : IntegerBuilder {
public:
  using Dim = mlir::Value;
  using Values = llvm::SmallVector<mlir::Value>;

  /// What is known from outside. Operands are named by their numbers.
  struct Outside {
    llvm::function_ref<Values(unsigned operand)> dims;
    /// Nothing where they cannot be read.
    llvm::function_ref<std::optional<Values>(unsigned operand)> elements;
    /// Ends the run unless a condition holds; null where that was checked
    /// before.
    llvm::function_ref<void(mlir::Value condition, const llvm::Twine &text)>
        require;
  };

  /// Writes arithmetic on `type` where `b` stands.
  KernelDims(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type,
             mlir::Operation *op, Outside outside)
      : IntegerBuilder(b, loc), type(type), op(op), outside(outside) {}

  /// Makes all dims known. Fails, with a diagnostic, where they follow from
  /// nothing that is.
  llvm::LogicalResult compute();

  /// Dims of an operand or result, or of a value in the kernel.
  Values dimsOf(mlir::Value value);

  //===--- The policy (dialects/QOpt/IR/DimPolicy.h)
  //--------------------------===//
  Dim constant(int64_t value);
  std::optional<int64_t> known(Dim dim) { return knownNumber(dim); }
  bool isSame(Dim x, Dim y) { return isSameDim(x, y); }
  using IntegerBuilder::add, IntegerBuilder::sub, IntegerBuilder::mul,
      IntegerBuilder::min, IntegerBuilder::max;
  Dim floorDiv(Dim x, Dim y);
  Dim ceilDiv(Dim x, Dim y);
  Dim broadcast(Dim x, Dim y);
  Dim selectEqual(Dim x, int64_t number, Dim a, Dim c);
  Dim selectNegative(Dim x, Dim a, Dim c);
  void requireEqual(Dim x, Dim y, const llvm::Twine &text);
  void requireBroadcast(Dim dim, Dim target);
  void requireScaleDim(Dim dim, Dim target, int64_t block);
  Values elementsOf(mlir::Value value);

private:
  llvm::LogicalResult setDims(mlir::Operation *inner);
  /// The operand of `op` that `value` is, or stands for in its body.
  std::optional<unsigned> findOperand(mlir::Value value) const;
  /// `value`, which is a result of `op`, stands for none of its operands.
  void require(mlir::Value condition, const llvm::Twine &text);

  mlir::Value either(mlir::Value x, mlir::Value y);
  Dim divisor(Dim y);

  mlir::Type type;
  mlir::Operation *op;
  Outside outside;
  llvm::DenseMap<mlir::Value, Values> dims;
  /// What must hold of operands is checked at once, what the formulas of
  /// results ask when all dims are there.
  llvm::SmallVector<std::pair<mlir::Value, const char *>> needs;
  bool isUnknown = false;
};

} // namespace qopt::kernel

#endif
