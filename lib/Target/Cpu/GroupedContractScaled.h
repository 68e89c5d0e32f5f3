//===- GroupedContractScaled.h - Codes times powers of two ------*- C++ -*-===//
//
// Where each group is one product and its scales are powers of two, codes can
// be multiplied by their scales beforehand: y + scale2(x * w, e) is then one
// fma(x', w', y), as long as nothing under- or overflows. Flags say where that
// is sure.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTSCALED_H
#define QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTSCALED_H

#include "GroupedContractInput.h"
#include "GroupedContractWeight.h"

namespace qopt::cpu {

struct ScaledWeight {
  /// f32 [outputs][rowStride]: the weight times its scales, divided by the
  /// multipliers of the groups.
  mlir::Value pointer, rowStride;
  /// i32 [outputs]: 0 where all values are 0 or moderate, so that the product
  /// with another such value is exact.
  mlir::Value flags;

  void capture(CaptureList &captures) {
    captures.add({&pointer, &rowStride, &flags});
  }
};

/// Launches the products of a weight of one channel with its scales.
ScaledWeight scaleWeight(CpuProgram &program, const DecodedWeight &weight,
                         int64_t outputs, int64_t positions,
                         const GroupShape &groups);

/// Launches the products of `input` with its scales, in place, for each plane
/// where they are moderate and so are the weights of its `multiplier` outputs.
/// Returns i32 [planes]: 0 for these, other planes are left alone.
mlir::Value scaleInput(CpuProgram &program, const Window &window,
                       const WindowInput &input, const InputScales &scales,
                       const ImageSize &size, const ScaledWeight &weight,
                       int64_t multiplier);

} // namespace qopt::cpu

#endif
