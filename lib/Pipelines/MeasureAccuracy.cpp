//===- MeasureAccuracy.cpp - Outputs of two programs compared -------------===//
//
// Of the programs that are compared only sums are kept.
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

/// What outputs of the exact program may take beside the rest of a compilation.
static constexpr uint64_t kMaxKeptBytes = uint64_t(256) << 20;

llvm::Error AccuracyMeter::runExact(size_t sample,
                                    llvm::ArrayRef<HostTensor> inputs,
                                    std::vector<HostTensor> &outputs) {
  if (sample < kept.size()) {
    outputs = kept[sample];
    return llvm::Error::success();
  }
  if (llvm::Error error = runObserved(*exactRunner, inputs, outputs))
    return error;
  uint64_t bytes = 0;
  for (const HostTensor &output : outputs)
    bytes += output.getSizeInBytes();
  if (sample == kept.size() && keptBytes + bytes <= kMaxKeptBytes) {
    kept.push_back(outputs);
    keptBytes += bytes;
  }
  return llvm::Error::success();
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
  for (auto [i, file] : llvm::enumerate(samples.files)) {
    auto inputs = readSample(file, main);
    if (!inputs)
      return inputs.takeError();
    if (llvm::Error error = runExact(i, *inputs, expected))
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
