//===- MeasureAccuracy.cpp - Outputs of two programs compared -------------===//
//
// Runners show values, not results, so outputs are observed. Only sums are
// kept.
//
//===----------------------------------------------------------------------===//

#include "MeasureAccuracy.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <cmath>

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

namespace {
/// Sums over all samples for one output.
struct Sums {
  double signal = 0, noise = 0, power = 0, product = 0, largest = 0;

  void add(ArrayRef<float> exact, ArrayRef<float> found) {
    for (auto [a, b] : llvm::zip_equal(exact, found)) {
      // What the model makes of its own accord, as infinity of a mask, is no
      // error.
      double error =
          a == b || (std::isnan(a) && std::isnan(b)) ? 0 : double(a) - b;
      if (error == 0 && !std::isfinite(a))
        continue;
      signal += double(a) * a;
      power += double(b) * b;
      product += double(a) * b;
      noise += error * error;
      largest = std::isnan(error) ? error : std::max(largest, std::fabs(error));
    }
  }
};
} // namespace

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

static OutputAccuracy describe(StringRef name, const Sums &sums) {
  OutputAccuracy accuracy;
  accuracy.output = name.str();
  accuracy.largestError = sums.largest;
  accuracy.sqnrInDecibels = 10 * std::log10(sums.signal / sums.noise);
  double norms = std::sqrt(sums.signal * sums.power);
  accuracy.cosine = norms == 0 && sums.noise == 0 ? 1 : sums.product / norms;
  return accuracy;
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
  std::vector<Sums> sums(main.getNumResults());
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
      sums[index].add(expected[index].as<float>(), found[index].as<float>());
  }
  std::vector<OutputAccuracy> accuracies;
  for (unsigned index : indices) {
    auto name = main.getResultAttrOfType<StringAttr>(index, kNameAttrName);
    accuracies.push_back(
        describe(name ? name.getValue() : StringRef("result"), sums[index]));
  }
  return accuracies;
}
