//===- Calibrate.cpp - Fill in the statistics of a program ----------------===//
//
// Observe ops are put in, the program runs on every sample, and the ops go
// again: the module changes by its statistics alone.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Calibrate.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "qopt/Calibration/StatisticsCache.h"
#include "qopt/Reference/ExpressionValue.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/ScopeExit.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

/// True for an op whose activation is to have one range for all data.
static bool isStatic(Operation *op) {
  auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
  return request && request.getParams() == Params::Static && request.getAct();
}

/// True for an op whose weight is to have codes, and perhaps its activation.
static bool isQuantized(Operation *op) {
  auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
  return request && request.getParams() != Params::Float && request.getWeight();
}

/// True where codes are computed from codes, so that what lies between
/// contractions has ranges too.
static bool isCodePath(func::FuncOp function) {
  bool found = false;
  function.walk([&](Operation *op) {
    found |=
        isStatic(op) &&
        isa<Float8E8M0FNUType>(op->getAttrOfType<RequestAttr>(kRequestAttrName)
                                   .getAct()
                                   .getScaleTypes()
                                   .front());
  });
  return found;
}

/// True where the static codes of a contraction are made of `value`.
static bool isReadAsCodes(Value value) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    auto view = getWeightedContraction(user);
    return view && isStatic(user) && view->lhs.tensor == value;
  });
}

/// Values whose statistics a later pass may ask for.
static SmallVector<Value> findUnobserved(func::FuncOp function) {
  llvm::SetVector<Value> values;
  auto insert = [&](Value value) {
    if (cast<RankedTensorType>(value.getType()).getElementType().isF32() &&
        !isWeightExpression(value))
      values.insert(value);
  };
  bool isBetweenToo = isCodePath(function);
  function.walk([&](Operation *op) {
    auto view = getWeightedContraction(op);
    if (view && isQuantized(op))
      insert(view->lhs.tensor);
    if (!isBetweenToo ||
        (!view && !op->hasTrait<ElementwiseTrait>() &&
         !isa<AveragePoolOp, GlobalAveragePoolOp, ConcatOp, PadOp>(op)))
      return;
    llvm::for_each(op->getOperands(), insert);
    llvm::for_each(op->getResults(), insert);
  });
  return llvm::to_vector(llvm::make_filter_range(
      values, [](Value value) { return !getStatistics(value); }));
}

/// Adds the squares of the weights that each input channel meets.
static void addChannelPowers(const HostTensor &weight, const Contraction &view,
                             SmallVector<float> &powers) {
  ArrayRef<int64_t> dims = weight.getDims();
  auto strideOf = [&](int64_t axis) {
    int64_t stride = 1;
    for (int64_t dim : dims.drop_front(axis + 1))
      stride *= dim;
    return stride;
  };
  int64_t productAxis = view.rhs.getProductAxis();
  int64_t outputAxis = view.rhs.getOutputAxis();
  int64_t products = dims[productAxis], outputs = dims[outputAxis];
  int64_t productStride = strideOf(productAxis);
  int64_t outputStride = strideOf(outputAxis);
  int64_t group = view.group;
  // Outputs of a group meet the input channels of that group alone.
  SmallVector<double> sums(group * products, 0);
  for (auto [i, value] : llvm::enumerate(weight.as<float>())) {
    int64_t product = (i / productStride) % products;
    int64_t output = (i / outputStride) % outputs;
    sums[output * group / outputs * products + product] +=
        double(value) * value;
  }
  powers.resize(std::max<size_t>(powers.size(), sums.size()), 0);
  for (auto [power, sum] : llvm::zip(powers, sums))
    power += static_cast<float>(sum);
}

/// How much the contractions that read `value` as codes make of an error of
/// each channel: the power of the weights that it meets.
static SmallVector<float> findChannelPowers(Value value) {
  SmallVector<float> powers;
  for (OpOperand &use : value.getUses()) {
    auto view = getWeightedContraction(use.getOwner());
    if (!view || view->lhs.operand != &use || !isStatic(use.getOwner()))
      continue;
    std::optional<HostTensor> weight = evaluateExpression(view->rhs.tensor);
    if (!weight)
      return {};
    addChannelPowers(*weight, *view, powers);
  }
  return powers;
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
    os << (isa<BlockArgument>(value) ? "input '" : "node '")
       << name.getName().getValue() << "'";
  else
    os << "an input";
  return text;
}

/// True where `value` is computed from `argument`, or is it.
static bool dependsOn(Value value, Value argument) {
  llvm::SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitUsesFromAbove = false;
  return value == argument ||
         (succeeded(getBackwardSlice(value, &slice, options)) &&
          llvm::any_of(slice, [&](Operation *op) {
            return llvm::is_contained(op->getOperands(), argument);
          }));
}

/// The error of a sample of which `value`, that is to have codes, was NaN or
/// infinity. Success where the model made it of finite arrays.
static llvm::Error blameSample(const std::string &file, func::FuncOp function,
                               Value value) {
  auto inputs = readSample(file, function);
  if (!inputs)
    return inputs.takeError();
  for (auto [i, input] : llvm::enumerate(*inputs)) {
    if (input.getType() != ElementType::F32)
      continue;
    Value argument = function.getArgument(i);
    ArrayRef<float> values = input.as<float>();
    const float *found =
        llvm::find_if(values, [](float x) { return !std::isfinite(x); });
    if (found == values.end() || !dependsOn(value, argument))
      continue;
    return makeError(
        ExitCode::BadData,
        file + ": array '" + nameOfInput(function, i) +
            "' holds NaN or infinity at element " +
            llvm::Twine(found - values.begin()) +
            (value == argument ? std::string()
                               : ", which reaches " + describe(value)) +
            ", but the static codes of it have neither\n"
            "note: mend or leave out the sample; only what stays float, as a "
            "mask of attention, may hold them");
  }
  return llvm::Error::success();
}

llvm::Error qopt::inSample(llvm::StringRef file, llvm::Error error) {
  if (!error)
    return error;
  ExitCode code;
  std::string message = takeMessage(std::move(error), code);
  return makeError(code, file + ": " + message);
}

llvm::Error qopt::runSamples(ModuleOp module, const CalibrationData &data,
                             ProgramRunner &runner, SampleCallback observe) {
  auto function = module.lookupSymbol<func::FuncOp>("main");
  if (llvm::Error error = runner.prepare(module))
    return error;
  for (size_t sample = 0; sample < data.files.size(); ++sample) {
    const std::string &file = data.files[sample];
    auto inputs = readSample(file, function);
    if (!inputs)
      return inputs.takeError();
    llvm::Error error =
        runner.run(*inputs, [&](int64_t id, const HostTensor &tensor) {
          observe(sample, id, tensor);
        });
    if (error)
      return inSample(file, std::move(error));
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
  // Between codes others read a tensor too, and a step that is a power of two
  // leaves room for new values, which half of it would not.
  bool canCut = options.rule == RangeRule::Search && !isCodePath(function);
  bool isSearched = false;
  for (Value value : values) {
    SmallVector<float> powers;
    if (canCut)
      powers = findChannelPowers(value);
    isSearched |= !powers.empty();
    observers.emplace_back(getChannelAxis(value), options, powers);
  }
  SmallVector<ObserveOp> ops = insertObservers(values);
  llvm::scope_exit eraseObservers([&] {
    for (ObserveOp op : ops)
      op.erase();
  });
  // What was held back is judged by the ranges of the others. These run once
  // more where ranges that cut them are tried.
  CalibrationData inOrder = data.fitted();
  size_t numFitted = inOrder.files.size(), numSamples = data.files.size();
  llvm::append_range(inOrder.files, data.heldBack().files);
  if (isSearched && numSamples > numFitted)
    llvm::append_range(inOrder.files, data.fitted().files);
  llvm::Error fault = llvm::Error::success();
  llvm::Error error = runSamples(
      module, inOrder, runner,
      [&](size_t sample, int64_t id, const HostTensor &tensor) {
        if (sample >= numSamples)
          return observers[id].addTrial(tensor);
        int64_t before = observers[id].countNonFinite();
        if (sample < numFitted)
          observers[id].add(tensor);
        else
          observers[id].addHeldBack(tensor);
        if (!fault && observers[id].countNonFinite() > before &&
            isReadAsCodes(values[id]))
          fault = blameSample(inOrder.files[sample], function, values[id]);
      });
  if (error || fault)
    return llvm::joinErrors(std::move(error), std::move(fault));
  for (auto [value, observer] : llvm::zip_equal(values, observers))
    setStatistics(value, observer.finish());
  return cache ? cache->store(values) : llvm::Error::success();
}

namespace {
/// The values that one warning is about.
struct Finding {
  int64_t numValues = 0, numElements = 0;
  std::string first;

  void add(Value value, int64_t elements) {
    if (numValues++ == 0)
      first = describe(value);
    numElements += elements;
  }
  std::string place() const {
    return first + (numValues > 1 ? " and " + std::to_string(numValues - 1) +
                                        " other places"
                                  : std::string());
  }
};
} // namespace

void qopt::warnOfStatistics(ModuleOp module, Warnings &warnings) {
  Finding nonFinite, constant, unseen;
  auto look = [&](Value value) {
    std::optional<Statistics> stats = getStatistics(value);
    if ((!stats || !stats->samples) && isReadAsCodes(value))
      unseen.add(value, 0);
    if (!stats)
      return;
    if (stats->nonFinite)
      nonFinite.add(value, stats->nonFinite);
    // A mask of ones, cast to float, is as it should be.
    if (stats->samples && stats->min == stats->max && isReadAsCodes(value) &&
        value.getDefiningOp())
      constant.add(value, 0);
  };
  auto function = module.lookupSymbol<func::FuncOp>("main");
  llvm::for_each(function.getArguments(), look);
  function.walk([&](Operation *op) { llvm::for_each(op->getResults(), look); });
  if (nonFinite.numValues)
    warnings.push_back(std::to_string(nonFinite.numElements) + " values at " +
                       nonFinite.place() +
                       " are NaN or infinity in the samples; ranges leave "
                       "them out");
  if (unseen.numValues)
    warnings.push_back("no finite value in any sample at " + unseen.place() +
                       "; what was to have static ranges is dynamic or float");
  if (constant.numValues)
    warnings.push_back("one and the same value in all samples at " +
                       constant.place() +
                       "; its range will not fit other data");
}
