//===- GroupedContractScaled.h - Codes times powers of two ------*- C++ -*-===//
//
// Where each group is one product and its scales are powers of two, codes can
// be multiplied by their scales beforehand: y + scale2(x * w, e) is then one
// fma(x', w', y), as long as nothing under- or overflows. Flags say where that
// is sure.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_GROUPEDCONTRACTSCALED_H
#define QOPT_LIB_TARGET_X86_GROUPEDCONTRACTSCALED_H

#include "GroupedContractInput.h"
#include "GroupedContractWeight.h"

namespace qopt::x86 {

struct ScaledOperand {
  /// f32; laid out as the decoded input, or [outputs][rowStride].
  mlir::Value pointer, rowStride;
  /// i32, one a plane or an output: 0 where all values are 0 or moderate, so
  /// that the product of two of them is exact.
  mlir::Value flags;

  void capture(CaptureList &captures) {
    captures.add({&pointer, &rowStride, &flags});
  }
};

/// Launches the products of an input, whose planes `input` holds, with
/// `scales`.
ScaledOperand scaleInput(ProgramEmitter &program, const Window &window,
                         const WindowInput &input, const InputScales &scales,
                         const ImageSize &size);
/// The same for a weight of one channel, divided by the multipliers of
/// `groups`.
ScaledOperand scaleWeight(ProgramEmitter &program, const DecodedWeight &weight,
                          int64_t outputs, int64_t positions,
                          const GroupShape &groups);

} // namespace qopt::x86

#endif
