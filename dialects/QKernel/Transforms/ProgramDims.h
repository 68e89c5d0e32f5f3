//===- ProgramDims.h - Dims of a program's memory ---------------*- C++ -*-===//
//
// As values, of which equal ones are one: what is written of them twice is seen
// to be the same.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_PROGRAMDIMS_H
#define DIALECTS_QKERNEL_TRANSFORMS_PROGRAMDIMS_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <map>

namespace qopt::kernel {

class ProgramDims {
public:
  using Values = llvm::SmallVector<mlir::Value>;

  /// Writes into `program` by `b`.
  ProgramDims(mlir::func::FuncOp program, mlir::OpBuilder &b)
      : program(program), b(b) {}

  /// Asks memory that comes from outside of a block for its dims where it
  /// begins, and says there that it has them.
  void insert();

  /// Makes equal values one. Takes away what nobody uses.
  void merge();

  /// Finds dims of arguments that the program begins by comparing.
  void join();

  /// Puts the first of those in place of the others, behind the check.
  void replaceJoined();

  /// Where `b` stands.
  Values dimsOf(mlir::Value given);

private:
  using ArgumentDim = std::pair<unsigned, int64_t>;

  void insert(mlir::Value memory);
  std::optional<ArgumentDim> findArgumentDim(mlir::Value value);
  static bool isBehind(mlir::Operation *op, mlir::Operation *check);

  mlir::func::FuncOp program;
  mlir::OpBuilder &b;
  /// Dims that no op gives memory.
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::Value> dims;
  /// What stands for the dim of an argument, and the check behind which it
  /// does.
  std::map<ArgumentDim, std::pair<mlir::Value, mlir::Operation *>> joined;
};

} // namespace qopt::kernel

#endif
