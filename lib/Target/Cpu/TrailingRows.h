//===- TrailingRows.h - Rows that are made one at a time --------*- C++ -*-===//
//
// A row of trailing axes goes through scratch: what the last pass needs of the
// passes before it is written there, as f32. What quantizes it reads it there
// too, and what packs its codes follows while they are in cache.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_TRAILINGROWS_H
#define QOPT_LIB_TARGET_CPU_TRAILINGROWS_H

#include "CaptureList.h"
#include "Epilogue.h"
#include <functional>

namespace qopt::cpu {

/// How the rows of a kernel come to be.
struct RowFormula {
  /// Of the function that is launched.
  llvm::StringRef name;
  /// What a row is loaded from.
  mlir::Value x;
  /// The rest is absent where x itself, which element-wise ops make, is the
  /// row.
  mlir::Value result = {};
  /// The rows are the axes from here on; -1 is the last one.
  int64_t axis = -1;
  /// What `last` evaluates.
  llvm::SmallVector<mlir::Value> others = {};
  /// Works on a row of f32 in scratch and gives what `last` needs to know.
  std::function<llvm::SmallVector<mlir::Value>(
      VectorBuilder &v, mlir::Value line, mlir::Value size)>
      normalize = {};
  /// The lanes of the result from those in scratch.
  std::function<mlir::Value(VectorBuilder &v, Epilogue &epilogue,
                            mlir::ValueRange facts, mlir::Value lanes,
                            const Epilogue::Lanes &at)>
      last = {};
};

/// What follows on a row of codes.
class RowConsumer {
public:
  virtual ~RowConsumer() = default;
  /// Host: everything that `run` uses.
  virtual void capture(CaptureList &captures) = 0;
  /// Kernel: takes row `row` of the matrix of codes.
  virtual void run(VectorBuilder &v, mlir::Value row) = 0;
};

/// The formula of a norm along trailing axes, or of a softmax or a transform
/// along the last.
RowFormula formulaOf(LayerNormOp op);
RowFormula formulaOf(SoftmaxOp op);
RowFormula formulaOf(HadamardOp op);

/// Rows and what is element-wise behind them. `quantizer`, which may be null,
/// makes codes of them.
mlir::LogicalResult emitTrailingRows(HostProgram &program,
                                     mlir::Operation *kernel,
                                     const RowFormula &formula,
                                     QuantizeDynamicOp quantizer);

/// The consumer of the rows of codes of `product`'s lhs: behind what makes them
/// inside the kernel, or else in a launch of its own with the name `name`.
mlir::LogicalResult emitConsumer(HostProgram &program, MatMulOp product,
                                 llvm::StringRef name, mlir::Value rows,
                                 RowConsumer &consumer);

/// Gives what the prologue of `product` makes, if it has one, its memory.
void placePrologue(HostProgram &program, MatMulOp product);

/// The memory for a value inside a kernel: that of the result which yields it,
/// or else the kernel's own.
mlir::Value placeOf(HostProgram &program, mlir::Operation *kernel,
                    mlir::Value inside);

} // namespace qopt::cpu

#endif
