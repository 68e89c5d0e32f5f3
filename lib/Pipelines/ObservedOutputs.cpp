//===- ObservedOutputs.cpp - The outputs of programs that run -------------===//

#include "ObservedOutputs.h"
#include "dialects/QOpt/IR/QOptOps.h"

using namespace mlir;
using namespace qopt;

func::FuncOp qopt::getMain(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>("main");
}

SmallVector<unsigned> qopt::findFloatResults(func::FuncOp main) {
  SmallVector<unsigned> indices;
  for (auto [i, type] : llvm::enumerate(main.getResultTypes()))
    if (cast<RankedTensorType>(type).getElementType().isF32())
      indices.push_back(i);
  return indices;
}

void qopt::observeResults(func::FuncOp main) {
  Operation *end = main.getBody().front().getTerminator();
  OpBuilder builder(end);
  for (unsigned index : findFloatResults(main))
    ObserveOp::create(builder, main.getLoc(), end->getOperand(index), index);
}

llvm::Error qopt::runObserved(ProgramRunner &runner,
                              ArrayRef<HostTensor> inputs,
                              MutableArrayRef<HostTensor> outputs) {
  llvm::Error problem = llvm::Error::success();
  llvm::Error error =
      runner.run(inputs, [&](int64_t id, const HostTensor &tensor) {
        auto copy = HostTensor::copy(tensor.getType(), tensor.getDims(),
                                     tensor.getBytes());
        if (!copy)
          problem = llvm::joinErrors(std::move(problem), copy.takeError());
        else
          outputs[id] = std::move(*copy);
      });
  return llvm::joinErrors(std::move(error), std::move(problem));
}

void qopt::addDistances(ArrayRef<HostTensor> found,
                        ArrayRef<HostTensor> expected,
                        MutableArrayRef<DistanceSums> sums) {
  for (auto [sum, values, wanted] : llvm::zip_equal(sums, found, expected)) {
    // As many as the data says: no number stands for another.
    if (values.getDims() != wanted.getDims()) {
      sum.add(std::numeric_limits<double>::quiet_NaN(), 0);
      continue;
    }
    for (auto [x, y] : llvm::zip_equal(values.as<float>(), wanted.as<float>()))
      sum.add(x, y);
  }
}
