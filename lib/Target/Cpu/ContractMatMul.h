//===- ContractMatMul.h - Operands of a matrix product ----------*- C++ -*-===//
//
// Rows are those of lhs, lanes run along n. A rhs without batch is multiplied
// with all rows of all batches at once. A rhs that is a vector changes sides:
// it becomes the only row and the rows of lhs fill the lanes.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_CONTRACTMATMUL_H
#define QOPT_LIB_TARGET_CPU_CONTRACTMATMUL_H

#include "ContractCodes.h"
#include "ContractOperands.h"

namespace qopt::cpu {

class MatMulSource : public ContractSource {
public:
  MatMulSource(CpuProgram &program, MatMulOp op,
               CodeUnit unit = CodeUnit::Vectors);
  /// Host: prepares the operands. Call once.
  mlir::LogicalResult prepare(CpuProgram &program, Epilogue &epilogue);

  void capture(CaptureList &captures) override;
  mlir::Value laneWords(VectorBuilder &v, int64_t numVectors) override;
  Lanes lanes(VectorBuilder &v, mlir::Value batch, mlir::Value vector,
              mlir::Value count, mlir::Value scratch) override;
  Rows rowsFrom(VectorBuilder &v, mlir::Value batch, mlir::Value row) override;
  Epilogue::Lanes coordinates(VectorBuilder &v,
                              const OutputVector &at) override;
  mlir::Value finish(VectorBuilder &v, mlir::Value sums, const OutputVector &at,
                     mlir::Value laneSums) override;

protected:
  virtual mlir::LogicalResult setRows(CpuProgram &program);
  virtual void setLanes(CpuProgram &program);
  void setAxes(CpuProgram &program, Epilogue &epilogue);
  mlir::Value batchOffset(VectorBuilder &v, mlir::Value batch,
                          llvm::ArrayRef<mlir::Value> strides) const;

  const Tier &tier;
  MatMulOp op;
  CodeOperand rowOperand, laneOperand;
  bool swapped = false;
  mlir::Value depth, columns;
  /// Batch dims of the result where each batch entry has lanes of its own.
  llvm::SmallVector<mlir::Value> batchDims, rowStrides, laneStrides;
  mlir::Value rowPointer, rowStride;
  mlir::Value lanePointer, panelStride, laneSumTable;
  /// Words of a tile's lanes in scratch.
  mlir::Value scratchWords;
  bool isPacked = false;
  CodeTerms terms;
  AxisRange batchAxes, rowAxes;
  int64_t laneGroup = 0;
};

} // namespace qopt::cpu

#endif
