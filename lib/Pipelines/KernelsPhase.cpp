//===- KernelsPhase.cpp - What runs each kernel, on each machine ----------===//
//
// From here on the contract knows what is realised, and may be broken.
//
//===----------------------------------------------------------------------===//

#include "Compilation.h"
#include "qopt/Conversion/QOptToQKernel/Passes.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qopt;

/// Copies @main into a variant for each machine and writes on every kernel what
/// will run it there.
void Compilation::writeChoices() {
  OpBuilder builder(&context);
  builder.setInsertionPointToEnd(module->getBody());
  func::FuncOp main = getMain();
  for (const TargetConfig &config : configs) {
    auto variant = kernel::VariantOp::create(
        builder, module->getLoc(), config.cpu,
        kernel::TargetAttr::get(&context, backend->getName(), config.cpu));
    Block &block = variant.getBody().emplaceBlock();
    OpBuilder inner = OpBuilder::atBlockBegin(&block);
    auto copy = cast<func::FuncOp>(inner.clone(*main));
    backend->splitKernels(copy, config);
    copy.walk([&](Operation *op) {
      bool isInBody = op->getParentOp() && kernel::isKernel(op->getParentOp());
      if (isInBody || isa<ConstantOp>(op) ||
          (!kernel::isKernel(op) && op->getDialect()->getNamespace() != "qopt"))
        return;
      KernelChoice choice = backend->selectKernel(op, config);
      op->setAttr(
          kernel::getKernelNameAttrName(op),
          builder.getStringAttr(choice.name.empty() ? "generic" : choice.name));
      if (!choice.reason.empty())
        op->setAttr(kernel::getReasonAttrName(op),
                    builder.getStringAttr(choice.reason));
    });
  }
}

llvm::Error Compilation::chooseKernels() {
  // A program that was read loads it with its first kernel, which may be none.
  context.loadDialect<kernel::QKernelDialect>();
  writeChoices();
  if (llvm::Error error = runPipeline(Phase::Kernels, [](OpPassManager &pm) {
        pm.addPass(createVerifyKernelsPass());
      }))
    return error;
  report.contract.readKernels(*module);
  return checkContract();
}

llvm::Error Compilation::checkContract() {
  if (options.failOnFallback.empty())
    return llvm::Error::success();
  auto breaches = report.contract.findBreaches(options.failOnFallback);
  if (breaches.empty())
    return llvm::Error::success();
  std::string text = llvm::sys::path::filename(options.model).str() + ": " +
                     std::to_string(breaches.size()) +
                     " nodes break the precision contract (" +
                     options.failOnFallback + ")";
  for (const ContractRow *row : breaches)
    text += "\n  node \"" + row->node + "\" (" + row->op + "): asked " +
            row->asked + ", planned " + row->planned + ", realised " +
            row->realised + " by " + row->kernel +
            (row->reason.empty() ? "" : ": " + row->reason);
  text += "\nnote: give these nodes another precision in a recipe's overrides";
  return refuse(ExitCode::Unsupported, text);
}
