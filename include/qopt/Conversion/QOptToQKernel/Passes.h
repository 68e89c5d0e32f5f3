//===- Passes.h - From qopt to qkernel and back -----------------*- C++ -*-===//
//
// Factories and registration, generated from Passes.td.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CONVERSION_QOPTTOQKERNEL_PASSES_H
#define QOPT_CONVERSION_QOPTTOQKERNEL_PASSES_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include <memory>

namespace qopt {

#define GEN_PASS_DECL
#include "lib/Conversion/QOptToQKernel/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Conversion/QOptToQKernel/Passes.h.inc"

} // namespace qopt

#endif
