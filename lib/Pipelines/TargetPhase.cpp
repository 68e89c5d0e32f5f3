//===- TargetPhase.cpp - The programs of every machine --------------------===//
//
// What the phase leaves is what code is made of, in a file too.
//
//===----------------------------------------------------------------------===//

#include "ArtefactWriter.h"
#include "Compilation.h"
#include "dialects/QKernel/IR/QKernelOps.h"

using namespace mlir;
using namespace qopt;

/// Tells `program` what the context may keep.
llvm::Error Compilation::findStates(func::FuncOp program) {
  auto description = describeProgram(program);
  // Types that no array has are told where a file is written.
  if (!description)
    return llvm::consumeError(description.takeError()), llvm::Error::success();
  if (llvm::Error error =
          qopt::findStates(*description, {options.states, options.capacity}))
    return error;
  if (isDone(Phase::Target))
    return checkAppended(*module, *description);
  markStates(program, description->states);
  return llvm::Error::success();
}

/// Leaves what code is made of.
llvm::Error Compilation::lower() {
  backend->loadDialects(&context);
  for (auto variant : module->getOps<kernel::VariantOp>())
    if (auto program = variant.lookupSymbol<func::FuncOp>("main"))
      if (llvm::Error error = findStates(program))
        return error;
  // Launches of one function are of several nodes.
  if (options.stopAfter == Phase::Target)
    report.contract.writeKernels(*module);
  return runPipeline(Phase::Target, [&](OpPassManager &pm) {
    backend->buildTargetPipeline(pm);
  });
}
