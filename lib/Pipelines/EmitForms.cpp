//===- EmitForms.cpp - Names of what is written ---------------------------===//
//
// What users of the command, of the C API and of Python call it.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Compiler.h"
#include "llvm/ADT/StringSwitch.h"

using namespace qopt;

bool qopt::setEmitForm(CompileOptions &options, llvm::StringRef name) {
  if (name == "mlir") {
    if (!options.stopAfter)
      options.stopAfter = Phase::Kernels;
    return true;
  }
  auto kind = llvm::StringSwitch<std::optional<EmitKind>>(name)
                  .Case("shared", EmitKind::Shared)
                  .Case("object", EmitKind::Object)
                  .Case("llvm", EmitKind::LLVMIR)
                  .Case("asm", EmitKind::Assembly)
                  .Case("qdq-onnx", EmitKind::QdqOnnx)
                  .Default(std::nullopt);
  if (kind)
    options.emit = *kind;
  return kind.has_value();
}
