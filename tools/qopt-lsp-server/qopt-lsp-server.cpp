//===- qopt-lsp-server.cpp - Language server for qopt's dialects ----------===//
//
// Registers and delegates.
//
//===----------------------------------------------------------------------===//

#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "qopt/InitAllDialects.h"
#include "qopt/InitAllTargets.h"
#include "llvm/Support/LogicalResult.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  qopt::registerAllDialects(registry);
  qopt::TargetRegistry targets;
  qopt::registerAllTargets(targets);
  targets.registerDialects(registry);
  return failed(mlir::MlirLspServerMain(argc, argv, registry));
}
