//===- PackingInput.h - The input of a convolution, padded ------*- C++ -*-===//
//
// Copies a tensor [N, C, H, W] so that no window leaves it and neighbouring
// outputs read neighbouring elements: borders are filled, and with a stride s
// along W column q * s + p becomes element q of *phase* p. What needs neither
// is used where it is.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_PACKINGINPUT_H
#define QOPT_LIB_TARGET_CPU_PACKINGINPUT_H

#include "ContractSchedule.h"

namespace qopt::cpu {

/// A convolution's window on two axes; one axis counts as the second of two.
struct Window {
  int64_t kernel[2], strides[2], dilations[2];
  /// Before and behind, an axis each.
  int64_t before[2], behind[2];

  Window(llvm::ArrayRef<int64_t> kernelDims, llvm::ArrayRef<int64_t> strides,
         llvm::ArrayRef<int64_t> pads, llvm::ArrayRef<int64_t> dilations);
  int64_t positions() const { return kernel[0] * kernel[1]; }
  /// True when output and input elements are the same ones in the same order.
  bool isPointwise() const;
};

struct WindowInput {
  mlir::Value pointer;
  /// In elements.
  mlir::Value rowLength, phaseStride, planeStride;

  void capture(CaptureList &captures) {
    captures.add({&pointer, &rowLength, &phaseStride, &planeStride});
  }
  /// The element that the output at column 0 of row `y` reads at kernel
  /// position (i, j) in `plane`.
  mlir::Value offset(VectorBuilder &v, const Window &window, mlir::Value plane,
                     mlir::Value y, mlir::Value i, mlir::Value j) const;
};

struct InputCopy {
  /// Planes, rows of a plane, elements of a row.
  mlir::Value source, planes, height, width;
  /// Types in memory before and after.
  mlir::Type from, to;
  /// What borders hold: of type `to`, or i32 for a byte.
  mlir::Value border;
  /// Turns 16 loaded elements into those to store; null for none.
  std::function<mlir::Value(VectorBuilder &, mlir::Value)> convert;
};

/// Launches the copy where one is needed.
WindowInput prepareInput(CpuProgram &program, const Window &window,
                         InputCopy copy);

} // namespace qopt::cpu

#endif
