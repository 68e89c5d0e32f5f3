//===- MeasureAccuracy.cpp - Outputs of two programs compared -------------===//
//
// Only sums are kept.
//
//===----------------------------------------------------------------------===//

#include "MeasureAccuracy.h"
#include "ObservedOutputs.h"
#include "dialects/QOpt/IR/QOptOps.h"

using namespace mlir;
using namespace qopt;

llvm::Expected<AccuracyMeter>
AccuracyMeter::create(ModuleOp exact, std::unique_ptr<ProgramRunner> runner,
                      CalibrationData samples) {
  observeResults(getMain(exact));
  if (llvm::Error error = runner->prepare(exact))
    return std::move(error);
  return AccuracyMeter(exact, std::move(runner), std::move(samples));
}

llvm::Expected<std::vector<OutputAccuracy>>
AccuracyMeter::measure(ModuleOp program, ProgramRunner &runner) {
  func::FuncOp main = getMain(exact);
  SmallVector<unsigned> indices = findFloatResults(main);
  if (indices.empty())
    return std::vector<OutputAccuracy>();
  observeResults(getMain(program));
  if (llvm::Error error = runner.prepare(program))
    return std::move(error);
  std::vector<DistanceSums> sums(main.getNumResults());
  std::vector<HostTensor> expected(main.getNumResults()), found(expected);
  for (const std::string &file : samples.files) {
    auto inputs = readSample(file, main);
    if (!inputs)
      return inputs.takeError();
    if (llvm::Error error = runObserved(*exactRunner, *inputs, expected))
      return std::move(error);
    if (llvm::Error error = runObserved(runner, *inputs, found))
      return std::move(error);
    addDistances(found, expected, sums);
  }
  std::vector<OutputAccuracy> accuracies;
  for (unsigned index : indices) {
    auto name = main.getResultAttrOfType<StringAttr>(index, kNameAttrName);
    accuracies.push_back(
        {sums[index].get(), name ? name.getValue().str() : "result"});
  }
  return accuracies;
}
