//===- QOptPasses.td - All passes, for their documentation --*- tablegen -*-===//
//
// Of each folder in the order in which a compile meets them.
//
//===----------------------------------------------------------------------===//

include "dialects/QOpt/Transforms/Passes.td"
include "dialects/QOpt/Quantization/QuantizationPasses.td"
include "lib/Transforms/Passes.td"
include "lib/Conversion/QOptToQKernel/Passes.td"
include "dialects/QKernel/Transforms/Passes.td"
include "lib/Target/Passes.td"
include "lib/Target/Host/Passes.td"
