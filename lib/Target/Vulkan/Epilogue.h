//===- Epilogue.h - Element-wise ops inside a shader ------------*- C++ -*-===//
//
// Evaluates the ops of a kernel's body for one element. Tensors of other dims
// than the space broadcast to it as numpy does.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_VULKAN_EPILOGUE_H
#define QOPT_LIB_TARGET_VULKAN_EPILOGUE_H

#include "DeviceProgram.h"

namespace qopt::vulkan {

class Epilogue {
public:
  /// `space` is the tensor of the body whose elements are finished, `root` the
  /// value that the kernel computes itself (null in a map).
  Epilogue(DeviceProgram &program, mlir::Operation *kernel, mlir::Value space,
           mlir::Value root);

  /// The space's dims in the host function.
  llvm::ArrayRef<mlir::Value> dims() const { return spaceDims; }
  /// Positions of the results that `finish` stores: those with the space's
  /// dims.
  llvm::ArrayRef<unsigned> storedResults() const { return stored; }
  /// Makes those results on the device.
  void allocate();

  /// `tensor` at `coordinates`, which have at least its rank.
  mlir::FailureOr<mlir::Value> evaluate(Shader &shader, mlir::Value tensor,
                                        mlir::ValueRange coordinates,
                                        mlir::Value rootValue = {});
  /// Evaluates and stores the results at `coordinates`.
  mlir::LogicalResult finish(Shader &shader, mlir::ValueRange coordinates,
                             mlir::Value rootValue = {});

private:
  mlir::FailureOr<mlir::Value> evaluateValue(mlir::Value tensor);
  mlir::FailureOr<mlir::Value> evaluateOp(mlir::Operation *op);
  mlir::FailureOr<mlir::Value> loadUse(mlir::OpOperand &use);
  mlir::FailureOr<mlir::Value> lookUp(LookupOp op);

  DeviceProgram &program;
  mlir::Operation *kernel;
  mlir::Value root;
  llvm::SmallVector<mlir::Value> spaceDims;
  llvm::SmallVector<unsigned> stored;
  /// Of the evaluation in work.
  Shader *shader = nullptr;
  llvm::SmallVector<mlir::Value> position;
  mlir::Value rootValue;
  llvm::DenseMap<mlir::Value, mlir::Value> memo;
};

/// The stride of each axis of a tensor with `dims` in a space that it
/// broadcasts to: 0 where the dim is 1, and null where that is known.
llvm::SmallVector<mlir::Value> broadcastStrides(DeviceProgram &program,
                                                mlir::ValueRange dims);

/// The element of a tensor with `dims` at `coordinates`, which have at least
/// its rank and count from the right. Along `blockAxis` of the tensor, `block`
/// coordinates share an element.
mlir::Value broadcastIndex(DeviceProgram &program, Shader &shader,
                           mlir::ValueRange dims, mlir::ValueRange coordinates,
                           int64_t blockAxis = -1, int64_t block = 0);

} // namespace qopt::vulkan

#endif
