//===- StageKernels.cpp - The steps of kernels ----------------------------===//
//
// Kernels say themselves what they are launched as. What is computed for the
// steps of one kernel is often the same as for those of another.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"

#define DEBUG_TYPE "qkernel-stage"

namespace qopt::kernel {
#define GEN_PASS_DEF_STAGEKERNELSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;
using kernel::LaunchOp;

static LogicalResult stage(LaunchOp launch, kernel::KernelList kernels,
                           SymbolTableCollection &symbols) {
  Operation *op = launch.getKernel(symbols);
  auto name = op->getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(op));
  const kernel::Kernel *kernel =
      name ? kernel::findKernel(kernels, name) : nullptr;
  if (!kernel)
    return launch.emitOpError("runs an op whose kernel is not known here");
  return kernel->stage(launch);
}

namespace {
struct StageKernelsPass : kernel::impl::StageKernelsPassBase<StageKernelsPass> {
  void runOnOperation() override {
    kernel::VariantOp variant = getOperation();
    llvm::Expected<kernel::KernelList> kernels =
        variant.getTarget().getKernels();
    if (!kernels) {
      variant.emitOpError(llvm::toString(kernels.takeError()));
      return signalPassFailure();
    }
    for (auto program : variant.getOps<func::FuncOp>())
      if (!program.isPrivate() && failed(stage(program, *kernels)))
        return signalPassFailure();
  }

  LogicalResult stage(func::FuncOp program, kernel::KernelList kernels) {
    SmallVector<LaunchOp> launches;
    program.walk([&](LaunchOp launch) {
      if (!launch.getStep() && launch.getNumResults() == 0)
        launches.push_back(launch);
    });
    SymbolTableCollection symbols;
    for (LaunchOp launch : launches)
      if (failed(::stage(launch, kernels, symbols)))
        return failure();
    IRRewriter rewriter(&getContext());
    DominanceInfo dominance(program);
    eliminateCommonSubExpressions(rewriter, dominance, program);
    llvm::DenseSet<Value> temporaries;
    program.walk([&](LaunchOp launch) {
      numSteps += launch.getStep().has_value();
      temporaries.insert_range(launch.getTemporaries());
    });
    numTemporaries += temporaries.size();
    return success();
  }
};
} // namespace
