//===- AskedChecks.h - What a program has to have checked -------*- C++ -*-===//
//
// Conditions and sizes that have to be sure, or were checked before.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_ASKEDCHECKS_H
#define DIALECTS_QKERNEL_TRANSFORMS_ASKEDCHECKS_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt::kernel {

/// What was written into a program for what it asks, not for what it does.
inline constexpr llvm::StringLiteral kAskedAttrName = "asked";

/// Whether `to` has as many elements as `from`, which are the dims of memory
/// that is there: the factors of each of `to` are dims of it.
bool splitsDims(mlir::ValueRange from, mlir::ValueRange to);

/// Whether both are one number of elements unless it is too large: what is a
/// product itself is taken apart.
bool haveSameFactors(mlir::ValueRange a, mlir::ValueRange b);

class AskedChecks {
public:
  /// Writes what is asked by `b`.
  explicit AskedChecks(mlir::OpBuilder &b) : b(b) {}

  /// Asks for `op`, where `b` stands, whether `condition` holds.
  void ask(mlir::Operation *op, mlir::Value condition, const llvm::Twine &text);
  void askEqual(mlir::Operation *op, mlir::ValueRange x, mlir::ValueRange y,
                const llvm::Twine &text);
  /// Asks whether there can be memory of these dims.
  void askSize(mlir::Operation *op, mlir::Type element, mlir::ValueRange dims);
  /// Asks for `op` what `check` does, which is no check of the program.
  void askWritten(mlir::Operation *op, mlir::Operation *check);

  /// Whether a check of `program` stands in front of everything that is asked
  /// and not sure; a diagnostic says what has none.
  llvm::LogicalResult verify(mlir::func::FuncOp program) const;

private:
  /// What has to hold where `asked` stands.
  struct Need {
    mlir::Operation *asked;
    mlir::OperationName op;
    std::string text;
  };

  mlir::OpBuilder &b;
  std::vector<Need> needs;
};

} // namespace qopt::kernel

#endif
