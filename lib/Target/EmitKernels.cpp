//===- EmitKernels.cpp - The functions of every variant -------------------===//
//
// Variants are written in the order of the module, so that the offsets of their
// shared constants do not depend on anything else.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/IsolateKernel.h"
#include "dialects/QKernel/Transforms/VerifyKernels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Target/Passes.h"
#include "qopt/Target/TargetBackend.h"
#include "qopt/Target/TargetRegistry.h"

#define DEBUG_TYPE "qkernel-emit-kernels"

namespace qopt {
#define GEN_PASS_DEF_EMITKERNELSPASS
#include "lib/Target/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Reports every kernel of `program` that cannot be lowered, each as if it were
/// alone: lowering ends at the first. False when each can.
static bool reportAll(const TargetBackend &backend, func::FuncOp program,
                      const TargetConfig &config) {
  bool isAnyReported = false;
  SymbolTableCollection symbols;
  for (auto launch : program.getOps<kernel::LaunchOp>()) {
    Operation *kernel = launch.getKernel(symbols);
    // What has steps was written once to find them.
    if (launch.getStep())
      continue;
    // Small integers may be dims, which only the whole program knows.
    bool takesDims = llvm::any_of(kernel->getOperandTypes(), [](Type type) {
      return getElementTypeOrSelf(type).isInteger(64);
    });
    if (!kernel::isKernel(kernel) || takesDims)
      continue;
    OwningOpRef<kernel::VariantOp> alone =
        kernel::isolateKernel(launch, kernel);
    PassManager pm(program.getContext(), kernel::VariantOp::getOperationName());
    backend.populateTargetPipeline(pm);
    WeightsSection weights;
    isAnyReported |=
        failed(pm.run(*alone)) ||
        failed(backend.lower(alone->lookupSymbol<func::FuncOp>("main"), config,
                             weights));
  }
  return isAnyReported;
}

/// As `backend.lower`, with a report of every kernel that is in the way.
static FailureOr<OwningOpRef<ModuleOp>> lower(const TargetBackend &backend,
                                              func::FuncOp program,
                                              const TargetConfig &config,
                                              WeightsSection &weights) {
  SmallVector<Diagnostic> first;
  {
    ScopedDiagnosticHandler handler(program.getContext(),
                                    [&](Diagnostic &diagnostic) {
                                      first.push_back(std::move(diagnostic));
                                      return success();
                                    });
    auto lowered = backend.lower(program, config, weights);
    if (succeeded(lowered))
      return lowered;
  }
  if (!reportAll(backend, program, config))
    for (Diagnostic &diagnostic : first)
      program.getContext()->getDiagEngine().emit(std::move(diagnostic));
  return failure();
}

/// Checks what writing a program takes for granted. `verify-target` has where
/// there is a compile; whoever runs the pass alone may write anything.
static LogicalResult checkProgram(func::FuncOp program,
                                  kernel::KernelList kernels) {
  if (!program.getBody().hasOneBlock() ||
      !llvm::all_of(program.getArgumentTypes(), llvm::IsaPred<MemRefType>))
    return program.emitOpError("expects one block, whose arguments are memory");
  SymbolTableCollection symbols;
  WalkResult result = program.walk([&](Operation *op) {
    if (!op->getDialect()) {
      op->emitOpError("is of no dialect that is known here");
      return WalkResult::interrupt();
    }
    auto launch = dyn_cast<kernel::LaunchOp>(op);
    if (!launch)
      return WalkResult::advance();
    Operation *kernel = launch.getKernel(symbols);
    if (!kernel::needsKernel(kernel) || launch.getNumResults() != 0) {
      launch.emitOpError("expects an op that a kernel runs, and memory for its "
                         "results");
      return WalkResult::interrupt();
    }
    OwningOpRef<kernel::VariantOp> alone =
        kernel::isolateKernel(launch, kernel);
    bool isRight =
        succeeded(kernel::verifyChoice(kernel::getIsolated(*alone), kernels));
    return isRight ? WalkResult::advance() : WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

namespace {
class EmitKernelsPass
    : public qopt::impl::EmitKernelsPassBase<EmitKernelsPass> {
public:
  /// Without `weights` what is packed goes with the pass.
  EmitKernelsPass(FindTarget findTarget, WeightsSection *weights)
      : findTarget(std::move(findTarget)), weights(weights) {}

  void runOnOperation() override {
    WeightsSection own;
    WeightsSection &packed = weights ? *weights : own;
    for (auto variant : getOperation().getOps<kernel::VariantOp>())
      if (failed(emit(variant, packed)))
        return signalPassFailure();
    numWeightBytes += packed.bytes().size();
  }

private:
  LogicalResult emit(kernel::VariantOp variant, WeightsSection &packed) {
    kernel::TargetAttr target = variant.getTarget();
    const TargetBackend *backend = findTarget(target.getName());
    if (!backend)
      return variant.emitOpError("is of the target \"")
             << target.getName() << "\", which is not known here";
    llvm::Expected<kernel::KernelList> kernels =
        backend->findKernels(target.getCpu());
    if (!kernels)
      return variant.emitOpError(llvm::toString(kernels.takeError()));
    auto program = variant.lookupSymbol<func::FuncOp>("main");
    if (!program)
      return variant.emitOpError("expects a function @main");
    if (!weights && failed(checkProgram(program, *kernels)))
      return failure();
    auto lowered =
        lower(*backend, program, TargetConfig{target.getCpu().str()}, packed);
    if (failed(lowered))
      return failure();
    Block *functions = (*lowered)->getBody();
    numFunctions += functions->getOperations().size();
    Block &body = variant.getBody().front();
    body.clear();
    body.getOperations().splice(body.end(), functions->getOperations());
    return success();
  }

  FindTarget findTarget;
  WeightsSection *weights;
};
} // namespace

std::unique_ptr<Pass> qopt::createEmitKernelsPass(FindTarget findTarget,
                                                  WeightsSection &weights) {
  return std::make_unique<EmitKernelsPass>(std::move(findTarget), &weights);
}

void qopt::registerTargetPasses(const TargetRegistry &targets) {
  registerPass([&targets]() -> std::unique_ptr<Pass> {
    return std::make_unique<EmitKernelsPass>(
        [&targets](StringRef name) { return targets.find(name); }, nullptr);
  });
}
