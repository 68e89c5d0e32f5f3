//===- ReferenceRunner.cpp - Calibration by lib/Reference -----------------===//
//
// Nothing to prepare: Reference runs the IR as it stands.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/ProgramRunner.h"

using namespace mlir;
using namespace qopt;

namespace {
class ReferenceRunner : public ProgramRunner {
public:
  llvm::Error prepare(ModuleOp module) override {
    function = module.lookupSymbol<func::FuncOp>("main");
    return llvm::Error::success();
  }

  llvm::Error run(ArrayRef<HostTensor> inputs, ObserveCallback observe,
                  SmallVectorImpl<HostTensor> *results) override {
    SmallVector<HostTensor> unused;
    return evaluate(function, inputs, results ? *results : unused, observe);
  }

private:
  func::FuncOp function;
};
} // namespace

std::unique_ptr<ProgramRunner> qopt::createReferenceRunner() {
  return std::make_unique<ReferenceRunner>();
}
