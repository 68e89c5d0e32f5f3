//===- qopt-opt.cpp - MlirOptMain with qopt's dialects and passes ---------===//
//
// Registers and delegates.
//
//===----------------------------------------------------------------------===//

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "qopt/InitAllDialects.h"
#include "qopt/InitAllPasses.h"
#include "qopt/InitAllTargets.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  qopt::registerAllDialects(registry);
  qopt::TargetRegistry targets;
  qopt::registerAllTargets(targets);
  targets.registerDialects(registry);
  qopt::registerAllPasses(targets);
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "qopt pass driver\n", registry));
}
