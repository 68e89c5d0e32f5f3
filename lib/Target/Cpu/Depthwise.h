//===- Depthwise.h - Loops of a depthwise convolution -----------*- C++ -*-===//
//
// Shared by the kernels of floats, of codes and of codes with scales: they
// differ in how 16 outputs are summed.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_DEPTHWISE_H
#define QOPT_LIB_TARGET_CPU_DEPTHWISE_H

#include "CpuProgram.h"
#include "Epilogue.h"
#include "PackingInput.h"
#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt::cpu {

/// 16 outputs, in the kernel.
struct DepthwiseAt {
  mlir::Value image, output, inputPlane, y, x;
};

/// Host values, except for the window; in the kernel its own.
struct DepthwiseShape {
  DepthwiseShape(CpuProgram &program, ConvOp op);
  void capture(CaptureList &captures);
  /// The axes that outputs are counted on.
  void setGroups(Epilogue &epilogue) const;
  /// Where the outputs of a plane stand, without y and x.
  DepthwiseAt planeAt(VectorBuilder &v, mlir::Value plane) const;
  /// Those at and behind an output in its row. Rows of a plane are written one
  /// after the other.
  Epilogue::Lanes lanesAt(VectorBuilder &v, const DepthwiseAt &at) const;

  Window window;
  bool isImage;
  /// Outputs of an input channel.
  mlir::Value multiplier;
  mlir::Value inputPlanes, inputHeight, inputWidth;
  /// Channels, planes and sizes of the result.
  mlir::Value outputs, planes, height, width;
  mlir::Value bias;
  /// Of the result.
  mlir::Type element;
};

/// Launches the loops. `list` holds what `sumOf` uses.
mlir::LogicalResult emitDepthwisePlanes(
    CpuProgram &program, DepthwiseShape shape, CaptureList &list,
    Epilogue &epilogue,
    llvm::function_ref<mlir::Value(VectorBuilder &, const DepthwiseAt &)>
        sumOf);

} // namespace qopt::cpu

#endif
