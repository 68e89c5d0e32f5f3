//===- Calibrate.cpp - Fill in the statistics of a program ----------------===//
//
// Observe ops are put in, the program runs on every sample, and the ops go
// again: the module changes by its statistics alone.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Calibrate.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "qopt/Calibration/StatisticsCache.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace qopt;

/// Values whose statistics a later pass may ask for.
static SmallVector<Value> findUnobserved(func::FuncOp function) {
  llvm::SetVector<Value> values;
  auto insert = [&](Value value) {
    if (cast<RankedTensorType>(value.getType()).getElementType().isF32() &&
        !isWeightExpression(value))
      values.insert(value);
  };
  function.walk([&](Operation *op) {
    if (!getWeightedContraction(op) && !op->hasTrait<ElementwiseTrait>() &&
        !isa<AveragePoolOp, GlobalAveragePoolOp, ConcatOp, PadOp>(op))
      return;
    llvm::for_each(op->getOperands(), insert);
    llvm::for_each(op->getResults(), insert);
  });
  return llvm::to_vector(llvm::make_filter_range(
      values, [](Value value) { return !getStatistics(value); }));
}

static SmallVector<ObserveOp> insertObservers(ArrayRef<Value> values) {
  SmallVector<ObserveOp> ops;
  for (auto [id, value] : llvm::enumerate(values)) {
    OpBuilder builder(value.getContext());
    builder.setInsertionPointAfterValue(value);
    ops.push_back(ObserveOp::create(builder, value.getLoc(), value, id));
  }
  return ops;
}

static std::string describe(Value value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto name = value.getLoc()->findInstanceOf<NameLoc>())
    os << "node '" << name.getName().getValue() << "'";
  else
    os << "an input";
  return text;
}

/// `error` with where it came up.
static llvm::Error describeProblem(llvm::Error error, Value value) {
  if (!error)
    return error;
  return makeError(ExitCode::BadData, "at " + describe(value) + ": " +
                                          llvm::toString(std::move(error)));
}

llvm::Error qopt::runSamples(
    ModuleOp module, const CalibrationData &data, ProgramRunner &runner,
    llvm::function_ref<llvm::Error(int64_t, const HostTensor &)> observe) {
  auto function = module.lookupSymbol<func::FuncOp>("main");
  if (llvm::Error error = runner.prepare(module))
    return error;
  for (const std::string &file : data.files) {
    auto inputs = readSample(file, function);
    if (!inputs)
      return inputs.takeError();
    llvm::Error problem = llvm::Error::success();
    llvm::Error error =
        runner.run(*inputs, [&](int64_t id, const HostTensor &tensor) {
          llvm::Error observed = observe(id, tensor);
          if (!observed)
            return;
          problem = llvm::joinErrors(
              std::move(problem),
              makeError(ExitCode::BadData,
                        file + ": " + llvm::toString(std::move(observed))));
        });
    if (error || problem)
      return llvm::joinErrors(std::move(error), std::move(problem));
  }
  return llvm::Error::success();
}

llvm::Error qopt::calibrate(ModuleOp module, const CalibrationData &data,
                            RangeOptions options, ProgramRunner &runner,
                            llvm::StringRef cacheFolder) {
  auto function = module.lookupSymbol<func::FuncOp>("main");
  SmallVector<Value> values = findUnobserved(function);
  if (values.empty())
    return llvm::Error::success();
  std::optional<StatisticsCache> cache;
  if (!cacheFolder.empty()) {
    auto opened = StatisticsCache::open(cacheFolder, module, data, options);
    if (!opened)
      return opened.takeError();
    cache = std::move(*opened);
    if (cache->load(values))
      return llvm::Error::success();
  }
  std::vector<TensorObserver> observers;
  for (Value value : values)
    observers.emplace_back(getChannelAxis(value), options);
  SmallVector<ObserveOp> ops = insertObservers(values);
  llvm::scope_exit eraseObservers([&] {
    for (ObserveOp op : ops)
      op.erase();
  });
  if (llvm::Error error = runSamples(
          module, data, runner, [&](int64_t id, const HostTensor &tensor) {
            return describeProblem(observers[id].add(tensor), values[id]);
          }))
    return error;
  for (auto [value, observer] : llvm::zip_equal(values, observers))
    setStatistics(value, observer.finish());
  return cache ? cache->store(values) : llvm::Error::success();
}
