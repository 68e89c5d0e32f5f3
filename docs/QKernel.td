//===- QKernel.td - The dialect, for its documentation ------*- tablegen -*-===//
//
// The documentation's target looks for files in its own folder.
//
//===----------------------------------------------------------------------===//

include "dialects/QKernel/IR/QKernelOps.td"
