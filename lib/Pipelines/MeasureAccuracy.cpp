//===- MeasureAccuracy.cpp - Outputs of two programs compared -------------===//
//
// Runners show values, not results, so outputs are observed. Only sums are
// kept.
//
//===----------------------------------------------------------------------===//

#include "MeasureAccuracy.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace qopt;

static func::FuncOp mainOf(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>("main");
}

/// Indices of the results that are compared.
static SmallVector<unsigned> findFloatResults(func::FuncOp main) {
  SmallVector<unsigned> indices;
  for (auto [i, type] : llvm::enumerate(main.getResultTypes()))
    if (cast<RankedTensorType>(type).getElementType().isF32())
      indices.push_back(i);
  return indices;
}

static void observeResults(func::FuncOp main, ArrayRef<unsigned> indices) {
  Operation *end = main.getBody().front().getTerminator();
  OpBuilder builder(end);
  for (unsigned index : indices)
    ObserveOp::create(builder, main.getLoc(), end->getOperand(index), index);
}

/// Runs one sample; the copies are in the order of the results.
static llvm::Error runOnce(ProgramRunner &runner, ArrayRef<HostTensor> inputs,
                           std::vector<HostTensor> &outputs) {
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

llvm::Expected<std::vector<OutputAccuracy>>
qopt::measureAccuracy(MeasuredProgram exact, MeasuredProgram quantized,
                      const CalibrationData &data) {
  func::FuncOp main = mainOf(exact.module);
  SmallVector<unsigned> indices = findFloatResults(main);
  if (indices.empty())
    return std::vector<OutputAccuracy>();
  for (MeasuredProgram *program : {&exact, &quantized}) {
    observeResults(mainOf(program->module), indices);
    if (llvm::Error error = program->runner.prepare(program->module))
      return std::move(error);
  }
  std::vector<DistanceSums> sums(main.getNumResults());
  std::vector<HostTensor> expected(main.getNumResults()), found(expected);
  for (const std::string &file : data.files) {
    auto inputs = readSample(file, main);
    if (!inputs)
      return inputs.takeError();
    if (llvm::Error error = runOnce(exact.runner, *inputs, expected))
      return std::move(error);
    if (llvm::Error error = runOnce(quantized.runner, *inputs, found))
      return std::move(error);
    for (unsigned index : indices)
      for (auto [x, wanted] : llvm::zip_equal(found[index].as<float>(),
                                              expected[index].as<float>()))
        sums[index].add(x, wanted);
  }
  std::vector<OutputAccuracy> accuracies;
  for (unsigned index : indices) {
    auto name = main.getResultAttrOfType<StringAttr>(index, kNameAttrName);
    accuracies.push_back(
        {sums[index].get(), name ? name.getValue().str() : "result"});
  }
  return accuracies;
}
