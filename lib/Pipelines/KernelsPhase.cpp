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

llvm::Error Compilation::chooseKernels() {
  // A program that was read loads it with its first kernel, which may be none.
  context.loadDialect<kernel::QKernelDialect>();
  if (llvm::Error error = runPipeline(Phase::Kernels, [&](OpPassManager &pm) {
        backend->buildKernelsPipeline(pm, configs);
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
