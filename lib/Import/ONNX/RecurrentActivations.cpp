//===- RecurrentActivations.cpp - Functions of recurrent nodes ------------===//
//
// The lists of numbers hold one for each function that takes one, in order.
//
//===----------------------------------------------------------------------===//

#include "RecurrentActivations.h"
#include "Composer.h"

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

Value qopt::importer::apply(NodeImporter &node,
                            const RecurrentActivation &activation, Value x) {
  Composer c(node);
  auto [function, alpha, beta] = activation;
  switch (function) {
  case RecurrentFunction::Affine:
    return c.add(c.mul(x, alpha), beta);
  case RecurrentFunction::Elu:
    return c.make<EluOp>({x}, node.attr("alpha", alpha));
  case RecurrentFunction::HardSigmoid:
    return c.make<HardSigmoidOp>(
        {x}, {node.attr("alpha", alpha), node.attr("beta", beta)});
  case RecurrentFunction::LeakyRelu:
    return c.make<LeakyReluOp>({x}, node.attr("alpha", alpha));
  case RecurrentFunction::Relu:
    return c.of<ReluOp>(x);
  case RecurrentFunction::ScaledTanh:
    return c.mul(c.of<TanhOp>(c.mul(x, beta)), alpha);
  case RecurrentFunction::Sigmoid:
    return c.of<SigmoidOp>(x);
  case RecurrentFunction::Softplus:
    return c.of<SoftplusOp>(x);
  case RecurrentFunction::Softsign:
    return c.div(x, c.add(c.of<AbsOp>(x), 1.0));
  case RecurrentFunction::Tanh:
    return c.of<TanhOp>(x);
  case RecurrentFunction::ThresholdedRelu:
    return c.where(c.test<GreaterOp>(x, alpha), x, 0.0);
  }
  llvm_unreachable("all functions are above");
}
