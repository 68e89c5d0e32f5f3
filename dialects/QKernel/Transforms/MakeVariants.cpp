//===- MakeVariants.cpp - A program for each machine ----------------------===//
//
// Later passes choose and write for one machine each.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#define DEBUG_TYPE "qkernel-make-variants"

namespace qopt::kernel {
#define GEN_PASS_DEF_MAKEVARIANTSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;

namespace {
struct MakeVariantsPass : kernel::impl::MakeVariantsPassBase<MakeVariantsPass> {
  using MakeVariantsPassBase::MakeVariantsPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto program = module.lookupSymbol<func::FuncOp>("main");
    if (!program) {
      module.emitError("expects a function @main");
      return signalPassFailure();
    }
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    for (const std::string &machine : machines) {
      auto variant = kernel::VariantOp::create(
          b, module.getLoc(), machine,
          kernel::TargetAttr::get(&getContext(), target, machine));
      OpBuilder::atBlockBegin(&variant.getBody().emplaceBlock())
          .clone(*program);
    }
  }
};
} // namespace
