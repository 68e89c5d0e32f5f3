//===- GroupedContractWeight.h - Weights of convolutions, decoded -*- C++ -*-=//
//
// The artefact holds a stream of bits; a run decodes it once for all parts.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTWEIGHT_H
#define QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTWEIGHT_H

#include "GroupedContractOperand.h"
#include "PackingInput.h"

namespace qopt::cpu {

struct DecodedWeight {
  /// [outputs][positions][channels], `rowStride` words from output to output.
  mlir::Value pointer, rowStride;
  /// Words [outputs][positions][blocks]; null without scales.
  mlir::Value scales;
  /// i32, as the scales: see ContractSource::Rows; null for f32.
  mlir::Value starts;
};

/// Launches the decoding to f32. `operand` is a constant.
DecodedWeight decodeWeight(CpuProgram &program, const GroupedOperand &operand,
                           const Window &window, const GroupShape &groups);
/// The same to signed bytes, of which the channels of a position fill whole
/// words. `operand` has no zeros.
DecodedWeight decodeIntegerWeight(CpuProgram &program,
                                  const GroupedOperand &operand,
                                  const Window &window,
                                  const GroupShape &groups);

} // namespace qopt::cpu

#endif
