//===- Passes.h - Passes that see only qopt ---------------------*- C++ -*-===//
//
// Factories, options and registration, generated from Passes.td.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_PASSES_H
#define DIALECTS_QOPT_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include <memory>

namespace qopt {

#define GEN_PASS_DECL
#include "dialects/QOpt/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/QOpt/Transforms/Passes.h.inc"

} // namespace qopt

#endif
