//===- WiderFormats.h - A plan in 8 bits instead of fewer -------*- C++ -*-===//
//
// What policy makes of a product whose few bits cost too much.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_WIDERFORMATS_H
#define DIALECTS_QOPT_QUANTIZATION_WIDERFORMATS_H

#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt {

/// The plan of `op` with 8 bits wherever its request has fewer: mxint8 in
/// place of floats in blocks, i8 in the same groups in place of integers.
/// An activation or weight whose wider blocks might cross groups of channels
/// stays. Null where nothing changes.
RequestAttr widenRequest(mlir::Operation *op);

} // namespace qopt

#endif
