//===- Passes.h - From programs to the functions of a target ----*- C++ -*-===//
//
// The pass asks targets, so that whoever knows these registers it.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_PASSES_H
#define QOPT_TARGET_PASSES_H

#include "mlir/Pass/Pass.h"
#include "qopt/Target/WeightsSection.h"
#include <functional>
#include <memory>

namespace qopt {
class TargetBackend;
class TargetRegistry;

/// The target of this name; or null.
using FindTarget = std::function<const TargetBackend *(llvm::StringRef name)>;

/// Writes the functions of each variant; constants go to `weights`.
std::unique_ptr<mlir::Pass> createEmitKernelsPass(FindTarget findTarget,
                                                  WeightsSection &weights);

/// Registers what asks `targets`, which outlive all passes. What is packed goes
/// with the pass.
void registerTargetPasses(const TargetRegistry &targets);

} // namespace qopt

#endif // QOPT_TARGET_PASSES_H
