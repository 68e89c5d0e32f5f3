//===- RecurrentActivations.cpp - Functions of recurrent nodes ------------===//
//
// The lists of numbers hold one for each function that takes one, in order.
//
//===----------------------------------------------------------------------===//

#include "RecurrentActivations.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
/// A function as ONNX names it. What takes no number has no default.
struct FunctionRow {
  llvm::StringLiteral name;
  RecurrentFunction function;
  std::optional<float> alpha = std::nullopt, beta = std::nullopt;
};
} // namespace

static constexpr FunctionRow kFunctions[] = {
    {"Affine", RecurrentFunction::Affine, 1.0f, 0.0f},
    {"Elu", RecurrentFunction::Elu, 1.0f},
    {"HardSigmoid", RecurrentFunction::HardSigmoid, 0.2f, 0.5f},
    {"LeakyRelu", RecurrentFunction::LeakyRelu, 0.01f},
    {"Relu", RecurrentFunction::Relu},
    {"ScaledTanh", RecurrentFunction::ScaledTanh, 1.0f, 1.0f},
    {"Sigmoid", RecurrentFunction::Sigmoid},
    {"Softplus", RecurrentFunction::Softplus},
    {"Softsign", RecurrentFunction::Softsign},
    {"Tanh", RecurrentFunction::Tanh},
    {"ThresholdedRelu", RecurrentFunction::ThresholdedRelu, 1.0f},
};

/// The next number of a list for a function that takes one.
static float takeNumber(std::optional<float> absent, ArrayRef<float> &list) {
  if (!absent || list.empty())
    return absent.value_or(0);
  float number = list.front();
  list = list.drop_front();
  return number;
}

std::optional<SmallVector<RecurrentActivation>>
qopt::importer::readActivations(NodeImporter &node, int64_t numDirections,
                                ArrayRef<StringRef> defaults) {
  SmallVector<std::string> names = node.getStrings("activations");
  if (names.empty())
    for (int64_t i = 0; i < numDirections; ++i)
      names.append(defaults.begin(), defaults.end());
  SmallVector<float> alphas = node.getFloats("activation_alpha");
  SmallVector<float> betas = node.getFloats("activation_beta");
  size_t expected = numDirections * defaults.size();
  if (names.size() != expected) {
    (void)node.fail(malformed("expects " + Twine(expected) +
                              " activations, but found " +
                              Twine(names.size())));
    return std::nullopt;
  }
  ArrayRef<float> alphasLeft = alphas, betasLeft = betas;
  SmallVector<RecurrentActivation> activations;
  for (StringRef name : names) {
    const auto *row = llvm::find_if(kFunctions, [&](const FunctionRow &row) {
      return row.name.equals_insensitive(name);
    });
    if (row == std::end(kFunctions)) {
      (void)node.fail(malformed("there is no activation " + quote(name)));
      return std::nullopt;
    }
    activations.push_back({row->function, takeNumber(row->alpha, alphasLeft),
                           takeNumber(row->beta, betasLeft)});
  }
  return activations;
}

Value qopt::importer::makeNumber(NodeImporter &node, Type element,
                                 double value) {
  OpBuilder &b = node.getBuilder();
  auto type = RankedTensorType::get({}, element);
  auto number = DenseElementsAttr::get(
      type, cast<Attribute>(b.getFloatAttr(element, value)));
  return ConstantOp::create(b, node.getLoc(), type, number);
}

/// alpha * x
static Value scale(NodeImporter &node, Value x, float alpha) {
  Type element = getElementType(x);
  return node.make<MulOp>(element, {x, makeNumber(node, element, alpha)});
}

Value qopt::importer::apply(NodeImporter &node,
                            const RecurrentActivation &activation, Value x) {
  if (!x || node.getFailure())
    return {};
  Type element = getElementType(x);
  auto number = [&](float value) { return makeNumber(node, element, value); };
  switch (activation.function) {
  case RecurrentFunction::Affine:
    return node.make<AddOp>(
        element, {scale(node, x, activation.alpha), number(activation.beta)});
  case RecurrentFunction::Elu:
    return node.make<EluOp>(element, x, node.attr("alpha", activation.alpha));
  case RecurrentFunction::HardSigmoid:
    return node.make<HardSigmoidOp>(element, x,
                                    {node.attr("alpha", activation.alpha),
                                     node.attr("beta", activation.beta)});
  case RecurrentFunction::LeakyRelu:
    return node.make<LeakyReluOp>(element, x,
                                  node.attr("alpha", activation.alpha));
  case RecurrentFunction::Relu:
    return node.make<ReluOp>(element, x);
  case RecurrentFunction::ScaledTanh: {
    Value inner = node.make<TanhOp>(element, scale(node, x, activation.beta));
    return inner ? scale(node, inner, activation.alpha) : Value();
  }
  case RecurrentFunction::Sigmoid:
    return node.make<SigmoidOp>(element, x);
  case RecurrentFunction::Softplus:
    return node.make<SoftplusOp>(element, x);
  case RecurrentFunction::Softsign: {
    Value size = node.make<AbsOp>(element, x);
    Value divisor = node.make<AddOp>(element, {size, number(1)});
    return node.make<DivOp>(element, {x, divisor});
  }
  case RecurrentFunction::Tanh:
    return node.make<TanhOp>(element, x);
  case RecurrentFunction::ThresholdedRelu: {
    Value isAbove = node.make<GreaterOp>(node.getBuilder().getI1Type(),
                                         {x, number(activation.alpha)});
    return node.make<WhereOp>(element, {isAbove, x, number(0)});
  }
  }
  llvm_unreachable("all functions are above");
}
