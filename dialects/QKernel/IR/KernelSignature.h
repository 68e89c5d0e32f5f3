//===- KernelSignature.h - The types that kernels are told by ---*- C++ -*-===//
//
// What a row of a table of kernels is compared with.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_IR_KERNELSIGNATURE_H
#define DIALECTS_QKERNEL_IR_KERNELSIGNATURE_H

#include "mlir/IR/Operation.h"
#include <string>

namespace qopt::kernel {

struct KernelSignature {
  /// The kernel's op: `contract`, `depthwise_conv`, `attention`, `rows`,
  /// `quantize_dynamic` for rows around one, `map`, or a qopt op that has none.
  std::string operation;
  /// Element types of the activation and of the weight operand.
  std::string activation, weight;
  /// `none`, `f32`, `f16`, `e8m0`, `e4m3`: the type of the innermost scales.
  std::string scale;
  /// `tensor`, `channel`, `row`, `block`.
  std::string granularity;
  /// `f32` or `i32`.
  std::string accumulator;
  /// What is fused with the root beside the element-wise ops of its epilogue:
  /// `none`; `quantize` or `norm+quantize` in front of a product; `quantize`
  /// behind a norm or softmax; `map` in front of `quantize_dynamic`.
  std::string fused;
};

KernelSignature getKernelSignature(mlir::Operation *op);

/// Says in words what there is no kernel for.
std::string describe(const KernelSignature &signature);

} // namespace qopt::kernel

#endif
