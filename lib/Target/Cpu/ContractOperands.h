//===- ContractOperands.h - Where products find their operands --*- C++ -*-===//
//
// The sources that the schedule runs on, one for each root op.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_CONTRACTOPERANDS_H
#define QOPT_LIB_TARGET_CPU_CONTRACTOPERANDS_H

#include "ContractSchedule.h"
#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt::cpu {

/// An index over some neighbouring axes of the root's result, as coordinates of
/// the epilogue's groups.
struct AxisRange {
  /// Dims of the axes when they are groups of their own; empty when they are
  /// one group.
  llvm::SmallVector<mlir::Value> dims;
  /// False for a range without axes.
  bool exists = true;

  void capture(CaptureList &captures) {
    for (mlir::Value &dim : dims)
      captures.add(dim);
  }
  void append(VectorBuilder &v, mlir::Value index,
              llvm::SmallVectorImpl<mlir::Value> &coordinates) const;
};

/// Makes the axes [first, last) one group of `epilogue` if they can be; adds
/// the first axis of each group to `groups`.
AxisRange groupAxes(Epilogue &epilogue, llvm::ArrayRef<mlir::Value> dims,
                    int64_t first, int64_t last,
                    llvm::SmallVectorImpl<int64_t> &groups);

/// Null, with a diagnostic, where what stands in front cannot be written.
std::unique_ptr<ContractSource> makeMatMulSource(CpuProgram &program,
                                                 MatMulOp op, CodeUnit unit,
                                                 Epilogue &epilogue);
std::unique_ptr<ContractSource> makeConvSource(CpuProgram &program, ConvOp op,
                                               CodeUnit unit,
                                               Epilogue &epilogue);

} // namespace qopt::cpu

#endif
