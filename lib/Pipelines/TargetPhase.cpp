//===- TargetPhase.cpp - The functions of every machine -------------------===//
//
// What the phase leaves is for code to be made of, and as a file for people to
// read: the constants, which functions find by their offsets, are not in it.
//
//===----------------------------------------------------------------------===//

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

llvm::Error Compilation::lower() {
  backend->loadDialects(&context);
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

/// A variant for each machine, with its host function and kernels.
llvm::Error Compilation::writeLowered() {
  OpBuilder builder(&context);
  OwningOpRef<ModuleOp> all(ModuleOp::create(module->getLoc()));
  for (LoweredProgram::Variant &made : lowered->variants) {
    builder.setInsertionPointToEnd(all->getBody());
    const std::string &cpu = made.config.cpu;
    auto variant = kernel::VariantOp::create(
        builder, module->getLoc(), cpu,
        kernel::TargetAttr::get(&context, backend->getName(), cpu));
    Block &block = variant.getBody().emplaceBlock();
    block.getOperations().splice(block.end(),
                                 made.module->getBody()->getOperations());
  }
  return writeProgram(*all, Phase::Target);
}
