//===- TensorErrors.cpp - What quantizing cost each tensor ----------------===//
//
// A weight's values before and after are both there only around the pass that
// puts codes in, so that is where this looks.
//
//===----------------------------------------------------------------------===//

#include "TensorErrors.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "qopt/Reference/Interpreter.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

static constexpr llvm::StringLiteral kWatchedPass = "qopt-insert-quantization";

static std::string nameOf(Location loc) {
  auto name = loc->findInstanceOf<NameLoc>();
  return name ? name.getName().str() : "";
}

/// The operand that holds the weight of a contraction, or a gathered table.
static OpOperand *findWeight(Operation *op) {
  if (auto gather = dyn_cast<GatherOp>(op))
    return &gather.getXMutable();
  auto view = getWeightedContraction(op);
  return view ? view->rhs.operand : nullptr;
}

static std::optional<HostTensor> read(ConstantOp constant) {
  if (!constant)
    return std::nullopt;
  auto tensor = readConstant(constant);
  if (!tensor)
    return llvm::consumeError(tensor.takeError()), std::nullopt;
  return std::move(*tensor);
}

/// The scale of a whole tensor.
static std::optional<double> readScale(Value scale) {
  std::optional<HostTensor> tensor = read(scale.getDefiningOp<ConstantOp>());
  if (!tensor || tensor->getNumElements() != 1)
    return std::nullopt;
  if (tensor->getType() == ElementType::F32)
    return tensor->as<float>().front();
  if (tensor->getType() == ElementType::F8E8M0FNU)
    return std::ldexp(1.0, tensor->as<uint8_t>().front() - 127);
  return std::nullopt;
}

static std::string formatOf(DequantizeOp op) {
  return op.getFormat() ? op.getFormat()->getName().str() : "";
}

/// The f32 values of what a dequantize of constants makes.
static std::optional<HostTensor> evaluateDequantize(DequantizeOp op) {
  SmallVector<HostTensor> operands;
  for (Value operand : op->getOperands()) {
    std::optional<HostTensor> tensor =
        read(operand.getDefiningOp<ConstantOp>());
    if (!tensor)
      return std::nullopt;
    operands.push_back(std::move(*tensor));
  }
  auto results = evaluateOp(op, operands);
  if (!results)
    return llvm::consumeError(results.takeError()), std::nullopt;
  return results->front();
}

namespace {
/// A weight or a table before the pass, and which operand it is: others may be
/// constants in codes too.
struct FloatWeight {
  ConstantOp constant;
  unsigned operand;
};
} // namespace

/// The dequantize of the codes that the pass put in place of `weight`.
static DequantizeOp findCodes(Operation *user, const FloatWeight &weight) {
  auto dequantize =
      user->getOperand(weight.operand).getDefiningOp<DequantizeOp>();
  return dequantize && dequantize.getCodes().getDefiningOp<ConstantOp>()
             ? dequantize
             : nullptr;
}

/// Compares a float tensor with what its codes stand for.
static void compare(ArrayRef<float> exact, ArrayRef<float> coded,
                    TensorError &error) {
  double signal = 0, noise = 0, product = 0, power = 0;
  for (auto [a, b] : llvm::zip_equal(exact, coded)) {
    signal += double(a) * a;
    power += double(b) * b;
    product += double(a) * b;
    noise += (double(a) - b) * (double(a) - b);
  }
  error.sqnrInDecibels = 10 * std::log10(signal / noise);
  error.cosine = signal * power == 0 ? 1 : product / std::sqrt(signal * power);
}

/// True where all contractions that read `value` make scales of their own or
/// read floats: statistics stand for biases and factors there.
static bool isRangeUnused(Value value) {
  auto reads = [&](bool isStatic) {
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      auto request = user->getAttrOfType<RequestAttr>(kRequestAttrName);
      return request && (request.getParams() == Params::Static) == isStatic;
    });
  };
  return reads(/*isStatic=*/false) && !reads(/*isStatic=*/true);
}

namespace {
class ErrorRecorder : public PassInstrumentation {
public:
  explicit ErrorRecorder(Report &report) : report(report) {}

  void runBeforePass(Pass *pass, Operation *op) override {
    if (pass->getArgument() != kWatchedPass)
      return;
    auto function = cast<func::FuncOp>(op);
    for (BlockArgument argument : function.getArguments())
      recordRange(argument, function.getArgAttrDict(argument.getArgNumber()));
    function.walk([&](Operation *inner) {
      for (Value result : inner->getResults())
        recordRange(result, {});
      OpOperand *weight = findWeight(inner);
      if (inner->hasAttr(kRequestAttrName) && weight)
        if (auto constant = weight->get().getDefiningOp<ConstantOp>())
          weights[inner] = {constant, weight->getOperandNumber()};
    });
  }

  void runAfterPass(Pass *pass, Operation *op) override {
    if (pass->getArgument() != kWatchedPass)
      return;
    // The float constants are dead now, and still there.
    for (const auto &[user, weight] : weights) {
      recordWeight(user, weight);
      recordActivation(user);
    }
    weights.clear();
  }

private:
  Report &report;
  /// Where layers are quantized one group after the other, the first time.
  bool recordsRanges = report.ranges.empty();
  llvm::MapVector<Operation *, FloatWeight> weights;

  void recordRange(Value value, DictionaryAttr attrs) {
    std::optional<Statistics> stats = qopt::getStatistics(value);
    if (!recordsRanges || !stats || isRangeUnused(value))
      return;
    std::string name = nameOf(value.getLoc());
    if (auto given =
            attrs ? attrs.getAs<StringAttr>(kNameAttrName) : StringAttr())
      name = given.str();
    report.ranges.push_back({name, stats->min, stats->max, stats->samples});
  }

  void recordWeight(Operation *user, const FloatWeight &weight) {
    // The view of a float contraction no longer fits: find the dequantize.
    auto dequantize = findCodes(user, weight);
    if (!dequantize)
      return;
    std::optional<HostTensor> exact = read(weight.constant);
    std::optional<HostTensor> coded = evaluateDequantize(dequantize);
    if (!exact || !coded)
      return;
    TensorError error{
        nameOf(user->getLoc()), "weight", formatOf(dequantize), 0, {}};
    compare(exact->as<float>(), coded->as<float>(), error);
    report.errors.push_back(error);
  }

  /// Uniform rounding noise of a static scale against the mean square.
  void recordActivation(Operation *user) {
    auto view = getWeightedContraction(user);
    auto dequantize =
        view ? view->lhs.tensor.getDefiningOp<DequantizeOp>() : nullptr;
    auto quantize = dequantize
                        ? dequantize.getCodes().getDefiningOp<QuantizeOp>()
                        : nullptr;
    if (!quantize)
      return;
    std::optional<Statistics> stats = qopt::getStatistics(quantize.getX());
    std::optional<double> step = readScale(dequantize.getScales().front());
    if (!stats || !step)
      return;
    report.errors.push_back(
        {nameOf(user->getLoc()),
         "activation",
         formatOf(dequantize),
         10 * std::log10(12 * stats->meanSquare / (*step * *step)),
         {}});
  }
};
} // namespace

std::unique_ptr<PassInstrumentation> qopt::createErrorRecorder(Report &report) {
  return std::make_unique<ErrorRecorder>(report);
}
