//===- Sensitivity.cpp - What the codes of one product cost ---------------===//
//
// One program holds every product twice, with its codes and in float, and an
// input for each says which of the two goes on. It is compiled once and run
// once for each product and sample.
//
//===----------------------------------------------------------------------===//

#include "Sensitivity.h"
#include "ObservedOutputs.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "mlir/IR/IRMapping.h"
#include "qopt/Pipelines/Phases.h"
#include "qopt/Support/CodedError.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

/// Samples that are enough to tell products apart.
static constexpr size_t kMaxSamples = 8;

/// Puts a float twin beside `op`, and what chooses between them.
static void addSwitch(Operation *op, func::FuncOp main) {
  MLIRContext *context = op->getContext();
  auto flag = RankedTensorType::get({1}, IntegerType::get(context, 1));
  unsigned index = main.getNumArguments();
  (void)main.insertArgument(index, flag, DictionaryAttr::get(context),
                            op->getLoc());
  Operation *twin = op->clone();
  twin->removeAttr(kRequestAttrName);
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  builder.insert(twin);
  Value coded = op->getResult(0);
  auto choice =
      WhereOp::create(builder, op->getLoc(), coded.getType(),
                      main.getArgument(index), coded, twin->getResult(0));
  // What reads it next is quantized as ever.
  setStatisticsAttr(choice, getStatisticsAttr(coded));
  coded.replaceAllUsesExcept(choice.getResult(), choice);
}

/// The program whose last inputs switch codes on, with its outputs observed.
static FailureOr<OwningOpRef<ModuleOp>>
makeSwitched(ModuleOp module, ArrayRef<Operation *> products,
             const Recipe &recipe) {
  IRMapping mapping;
  OwningOpRef<ModuleOp> copy = cast<ModuleOp>(module->clone(mapping));
  func::FuncOp main = getMain(*copy);
  for (Operation *op : products)
    addSwitch(mapping.lookup(op), main);
  Recipe nearest = recipe;
  nearest.rounding.options.set("method", std::string("nearest"));
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  buildInsertQuantizersPipeline(pm, nearest);
  buildFormCodesPipeline(pm, nearest);
  if (failed(pm.run(*copy)))
    return failure();
  observeResults(main);
  return copy;
}

/// An input for each product, all off.
static llvm::Expected<std::vector<HostTensor>> allocateFlags(size_t count) {
  std::vector<HostTensor> flags(count);
  for (HostTensor &flag : flags) {
    auto tensor = HostTensor::allocate(ElementType::BOOL, {1});
    if (!tensor)
      return tensor.takeError();
    flag = std::move(*tensor);
  }
  return flags;
}

double qopt::toNoise(const Distance &distance) {
  double noise = std::pow(10, -distance.sqnrInDecibels / 10);
  return std::isnan(noise) ? std::numeric_limits<double>::infinity() : noise;
}

/// Those of the outputs that are compared.
static std::vector<OutputNoise>
getNoises(ArrayRef<std::vector<DistanceSums>> sums,
          ArrayRef<unsigned> outputs) {
  std::vector<OutputNoise> noises;
  for (ArrayRef<DistanceSums> distances : sums) {
    OutputNoise &noise = noises.emplace_back();
    for (unsigned output : outputs) {
      double measured = toNoise(distances[output].get());
      noise.push_back(std::isfinite(measured) ? measured : 0);
    }
  }
  return noises;
}

llvm::Expected<std::vector<OutputNoise>>
qopt::measureSensitivities(ModuleOp module, ArrayRef<Operation *> products,
                           const Recipe &recipe, ProgramRunner &runner,
                           const CalibrationData &data) {
  func::FuncOp main = getMain(module);
  FailureOr<OwningOpRef<ModuleOp>> switched =
      makeSwitched(module, products, recipe);
  if (failed(switched))
    return makeError(ExitCode::Unsupported,
                     "products cannot be measured one by one");
  if (llvm::Error error = runner.prepare(**switched))
    return std::move(error);
  llvm::Expected<std::vector<HostTensor>> flags =
      allocateFlags(products.size());
  if (!flags)
    return flags.takeError();
  size_t count = main.getNumResults();
  std::vector<std::vector<DistanceSums>> sums(products.size(),
                                              std::vector<DistanceSums>(count));
  std::vector<HostTensor> exact(count), found(count);
  for (const std::string &file : ArrayRef(data.files).take_front(kMaxSamples)) {
    auto inputs = readSample(file, main);
    if (!inputs)
      return inputs.takeError();
    inputs->append(flags->begin(), flags->end());
    if (llvm::Error error = runObserved(runner, *inputs, exact))
      return std::move(error);
    for (auto [flag, distances] : llvm::zip_equal(*flags, sums)) {
      *flag.getMutableData() = 1;
      if (llvm::Error error = runObserved(runner, *inputs, found))
        return std::move(error);
      *flag.getMutableData() = 0;
      addDistances(found, exact, distances);
    }
  }
  return getNoises(sums, findFloatResults(main));
}
