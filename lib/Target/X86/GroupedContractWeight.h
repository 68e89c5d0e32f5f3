//===- GroupedContractWeight.h - Weights of convolutions, decoded -*- C++ -*-=//
//
// The artefact holds a stream of bits; a run decodes it once for all parts.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_GROUPEDCONTRACTWEIGHT_H
#define QOPT_LIB_TARGET_X86_GROUPEDCONTRACTWEIGHT_H

#include "GroupedContractOperand.h"
#include "PackingInput.h"

namespace qopt::x86 {

struct DecodedWeight {
  /// f32 [outputs][positions][channels], `rowStride` from output to output.
  mlir::Value pointer, rowStride;
  /// Words [outputs][positions][blocks]; null without scales.
  mlir::Value scales;
};

/// Launches the decoding. `operand` is a constant.
DecodedWeight decodeWeight(ProgramEmitter &program,
                           const GroupedOperand &operand, const Window &window,
                           const GroupShape &groups);

} // namespace qopt::x86

#endif
