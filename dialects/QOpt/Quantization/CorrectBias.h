//===- CorrectBias.h - Biases that know their weight's error ----*- C++ -*-===//
//
// Rounding a weight moves the mean of what it makes. Calibration knows the mean
// that each weight meets, so the bias can take the move back.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_CORRECTBIAS_H
#define DIALECTS_QOPT_QUANTIZATION_CORRECTBIAS_H

#include "dialects/QOpt/Quantization/Statistics.h"
#include "qopt/Support/HostTensor.h"

namespace qopt {

/// Adds to the bias of a convolution, or to the constant that is added to a
/// matmul, what rounding its weight from `exact` to `coded` takes from the mean
/// of each output, as far as the samples are many enough to be sure of it.
/// `stats` are those of the activation. A matmul that nothing is added to stays
/// as it is: a sum costs more than it brings.
void correctBias(mlir::Operation *op, const Statistics &stats,
                 const HostTensor &exact, const HostTensor &coded);

} // namespace qopt

#endif
