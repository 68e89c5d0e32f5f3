//===- Passes.h - Passes on kernels --------------*- C++ -*-===//
//
// Factories, options and registration, generated from Passes.td.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_PASSES_H
#define DIALECTS_QKERNEL_TRANSFORMS_PASSES_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include <memory>

namespace qopt::kernel {

#define GEN_PASS_DECL
#include "dialects/QKernel/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/QKernel/Transforms/Passes.h.inc"

} // namespace qopt::kernel

#endif
