//===- QOpt.td - The whole dialect, for its documentation ---*- tablegen -*-===//
//
// The build compiles the families side by side; the reference lists them all.
//
//===----------------------------------------------------------------------===//

include "dialects/QOpt/IR/QOptAttrs.td"
include "dialects/QOpt/IR/QOptContractionOps.td"
include "dialects/QOpt/IR/QOptElementwiseOps.td"
include "dialects/QOpt/IR/QOptLoopOps.td"
include "dialects/QOpt/IR/QOptMovementOps.td"
include "dialects/QOpt/IR/QOptNormalizationOps.td"
include "dialects/QOpt/IR/QOptQuantizationOps.td"
include "dialects/QOpt/IR/QOptSequenceOps.td"
