//===- QuantizationPasses.h - calibrate, transform, quantize ----*- C++ -*-===//
//
// Generated factories and options.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_QUANTIZATIONPASSES_H
#define DIALECTS_QOPT_QUANTIZATION_QUANTIZATIONPASSES_H

#include "dialects/QOpt/IR/QOptDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt {

#define GEN_PASS_DECL
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"

} // namespace qopt

#endif
