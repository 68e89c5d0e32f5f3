//===- Passes.h - Passes that need Reference --------------------*- C++ -*-===//
//
// Generated from Passes.td.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TRANSFORMS_PASSES_H
#define QOPT_TRANSFORMS_PASSES_H

#include "dialects/QOpt/IR/QOptDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt {

class MethodRegistry;

#define GEN_PASS_DECL
#include "lib/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Passes.h.inc"

/// The same with the methods of `methods`, which outlives the pass, in place of
/// those that qopt comes with.
std::unique_ptr<mlir::Pass>
createTransformLayersPass(const TransformLayersPassOptions &options,
                          const MethodRegistry &methods);
std::unique_ptr<mlir::Pass>
createInsertQuantizationPass(const InsertQuantizationPassOptions &options,
                             const MethodRegistry &methods);

} // namespace qopt

#endif // QOPT_TRANSFORMS_PASSES_H
