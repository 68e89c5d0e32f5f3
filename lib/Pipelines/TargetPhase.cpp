//===- TargetPhase.cpp - The functions of every machine -------------------===//
//
// What the phase leaves is for code to be made of, and as a file for people to
// read.
//
//===----------------------------------------------------------------------===//

#include "ArtefactWriter.h"
#include "Compilation.h"
#include "Problems.h"
#include "dialects/QKernel/IR/QKernelOps.h"

using namespace mlir;
using namespace qopt;

static CodeForm getForm(EmitKind emit) {
  switch (emit) {
  case EmitKind::Shared:
  case EmitKind::Object:
    return CodeForm::Object;
  case EmitKind::LLVMIR:
    return CodeForm::LLVMIR;
  case EmitKind::Assembly:
    return CodeForm::Assembly;
  case EmitKind::QdqOnnx:
    break;
  }
  llvm_unreachable("a kind without code");
}

/// Tells `program` what the context may keep.
llvm::Error Compilation::findStates(func::FuncOp program) {
  auto description = describeProgram(program);
  // Types that no array has are told where a file is written.
  if (!description)
    return llvm::consumeError(description.takeError()), llvm::Error::success();
  if (llvm::Error error =
          qopt::findStates(*description, {options.states, options.capacity}))
    return error;
  markStates(program, description->states);
  return llvm::Error::success();
}

llvm::Error Compilation::lower() {
  backend->loadDialects(&context);
  for (auto variant : module->getOps<kernel::VariantOp>())
    if (auto program = variant.lookupSymbol<func::FuncOp>("main"))
      if (llvm::Error error = findStates(program))
        return error;
  if (llvm::Error error = runPipeline(Phase::Target, [&](OpPassManager &pm) {
        buildTargetPipeline(pm, *backend);
      }))
    return error;
  Problems problems(context, options.model, report.contract);
  for (TargetConfig &config : configs)
    config.form = getForm(options.emit);
  auto program = backend->lowerProgram(*module, configs);
  if (failed(program))
    return problems.take(ExitCode::Unsupported, "code generation failed");
  lowered = std::move(*program);
  return llvm::Error::success();
}

/// A variant for each machine: the program of launches, and what was written of
/// it.
llvm::Error Compilation::writeLowered() {
  OwningOpRef<ModuleOp> all(ModuleOp::create(module->getLoc()));
  Block *body = all->getBody();
  for (LoweredProgram::Variant &made : lowered->variants) {
    auto of =
        kernel::TargetAttr::get(&context, backend->getName(), made.config.cpu);
    for (auto variant : llvm::to_vector(module->getOps<kernel::VariantOp>())) {
      if (variant.getTarget() != of)
        continue;
      variant->moveBefore(body, body->end());
      Block &block = variant.getBody().front();
      block.getOperations().splice(block.end(),
                                   made.module->getBody()->getOperations());
    }
  }
  return writeProgram(*all, Phase::Target);
}
