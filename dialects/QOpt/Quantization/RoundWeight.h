//===- RoundWeight.h - Codes of a weight chosen by activations --*- C++ -*-===//

#ifndef DIALECTS_QOPT_QUANTIZATION_ROUNDWEIGHT_H
#define DIALECTS_QOPT_QUANTIZATION_ROUNDWEIGHT_H

#include "dialects/QOpt/Quantization/Gptq.h"
#include "dialects/QOpt/Quantization/WeightQuantizer.h"

namespace qopt {

/// Rounds a weight [K, N] anew, with the scales and zeros that `quantized` has.
/// `hessian` is K x K. Leaves the codes alone where that would raise the proxy
/// loss; true when it changed them.
llvm::Expected<bool> roundWeight(QuantizedWeight &quantized,
                                 const HostTensor &weight, FormatAttr format,
                                 llvm::ArrayRef<double> hessian,
                                 const GptqOptions &options);

} // namespace qopt

#endif
