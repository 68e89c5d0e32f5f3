//===- Contract.h - The sums of contractions --------------------*- C++ -*-===//
//
// One invocation makes one element of the result.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_VULKAN_CONTRACT_H
#define QOPT_LIB_TARGET_VULKAN_CONTRACT_H

#include "CodeOperand.h"

namespace qopt::vulkan {

/// The sum of the element at `coordinates` of the op's result.
mlir::Value sumMatMul(DeviceProgram &program, Shader &shader, MatMulOp op,
                      CodeOperand &lhs, CodeOperand &rhs,
                      mlir::ValueRange coordinates);
mlir::Value sumConv(DeviceProgram &program, Shader &shader, ConvOp op,
                    CodeOperand &x, CodeOperand &w,
                    mlir::ValueRange coordinates);

} // namespace qopt::vulkan

#endif
