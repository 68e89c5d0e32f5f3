//===- KernelsPhase.cpp - What runs each kernel, on each machine ----------===//
//
// From here on the contract knows what is realised, and may be broken.
//
//===----------------------------------------------------------------------===//

#include "Compilation.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qopt;

/// Copies @main into a variant for each machine.
void Compilation::makeVariants() {
  OpBuilder builder(&context);
  builder.setInsertionPointToEnd(module->getBody());
  func::FuncOp main = getMain();
  for (const TargetConfig &config : configs) {
    auto variant = kernel::VariantOp::create(
        builder, module->getLoc(), config.cpu,
        kernel::TargetAttr::get(&context, backend->getName(), config.cpu));
    Block &block = variant.getBody().emplaceBlock();
    OpBuilder::atBlockBegin(&block).clone(*main);
  }
}

llvm::Error Compilation::chooseKernels() {
  // A program that was read loads it with its first kernel, which may be none.
  context.loadDialect<kernel::QKernelDialect>();
  makeVariants();
  if (llvm::Error error = runPipeline(Phase::Kernels, buildKernelsPipeline))
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
