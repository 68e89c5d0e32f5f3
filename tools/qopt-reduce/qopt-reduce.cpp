//===- qopt-reduce.cpp - mlir-reduce with qopt's dialects and passes ------===//
//
// Registers and delegates.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"
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
  mlir::MLIRContext context(registry);
  return failed(mlir::mlirReduceMain(argc, argv, context));
}
