//===- WidenPlan.cpp - More bits where few ruin the outputs ---------------===//
//
// A program whose outputs are not what the recipe's policy asks for is planned
// again. It costs time only there: every product is tried by itself.
//
//===----------------------------------------------------------------------===//

#include "Compilation.h"
#include "ObservedOutputs.h"
#include "Precision.h"
#include "Problems.h"
#include "WidenChoice.h"
#include "dialects/QOpt/Quantization/WiderFormats.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

/// Predictions miss, so what was widened is measured and more may follow.
static constexpr int kMaxRounds = 4;

/// Noise over signal that an output may have.
static double boundOf(const Recipe &recipe) {
  return std::pow(10, -recipe.policy.minOutputSqnr / 10);
}

static double toDecibels(double noise) { return -10 * std::log10(noise); }

/// Products with few bits that neither an override nor the model chose.
std::vector<Operation *> Compilation::findNarrowProducts(ModuleOp program) {
  std::vector<Operation *> products;
  qopt::getMain(program).walk([&](Operation *op) {
    RequestAttr wide = widenRequest(op);
    if (!wide || wide.getWhy())
      return;
    const ContractRow *row = report.contract.findRowOfProducts(op->getLoc());
    bool isNamed =
        row &&
        llvm::any_of(report.recipe.overrides, [&](const OverrideRecipe &rule) {
          return rule.matches(row->node, row->op);
        });
    if (!isNamed)
      products.push_back(op);
  });
  return products;
}

OutputNoise Compilation::getOutputNoise() const {
  OutputNoise noise;
  for (const OutputAccuracy &output : report.accuracy.outputs)
    noise.push_back(toNoise(output));
  return noise;
}

namespace {
/// How far outputs are off, to be compared: those that cannot be measured count
/// first.
struct WorstNoise {
  size_t numUnmeasured = 0;
  double noise = 0;

  explicit WorstNoise(const OutputNoise &outputs) {
    for (double output : outputs)
      if (std::isfinite(output))
        noise = std::max(noise, output);
      else
        ++numUnmeasured;
  }
  bool operator<(const WorstNoise &other) const {
    return numUnmeasured <= other.numUnmeasured && noise < other.noise;
  }
};
} // namespace

/// Gives a product more bits, and the reason for it.
static void widen(Operation *op, const OutputNoise &noise) {
  RequestAttr wide = widenRequest(op);
  std::string narrow =
      describeRequest(op->getAttrOfType<RequestAttr>(kRequestAttrName));
  std::string why =
      llvm::formatv("outputs have {0:f1} dB where it alone is {1}",
                    toDecibels(*llvm::max_element(noise)), narrow);
  op->setAttr(kRequestAttrName,
              RequestAttr::get(op->getContext(), wide.getParams(),
                               wide.getAct(), wide.getWeight(),
                               StringAttr::get(op->getContext(), why)));
}

/// Quantizes what is planned anew.
llvm::Error Compilation::quantizeAgain(ModuleOp planned) {
  // Tables lose their requests on the way to codes.
  report.contract.readPlan(qopt::getMain(planned), report.recipe,
                           getName(Phase::Quantize));
  module = planned.clone();
  // Those of the program that is given up.
  report.errors.clear();
  return fixNumbers();
}

llvm::Error Compilation::widenPlan(ModuleOp planned) {
  double bound = boundOf(report.recipe);
  WorstNoise before(getOutputNoise()), worst = before;
  if (report.recipe.policy.minOutputSqnr == 0 || worst.noise <= bound)
    return llvm::Error::success();
  std::vector<Operation *> ops = findNarrowProducts(planned);
  Problems problems(context, options.model, report.contract);
  auto noises = measureSensitivities(planned, ops, report.recipe,
                                     *createRunner(), calibrationData.fitted());
  if (!noises)
    return problems.orReported(noises.takeError());
  std::vector<NarrowProduct> products;
  for (const OutputNoise &noise : *noises)
    products.push_back({noise});
  size_t count = 0;
  for (int round = 0; round < kMaxRounds && worst.noise > bound; ++round) {
    llvm::SmallVector<size_t> widened =
        widenProducts(products, getOutputNoise(), bound);
    if (widened.empty())
      break;
    llvm::SmallVector<std::pair<Operation *, Attribute>> narrow;
    for (size_t index : widened) {
      narrow.push_back({ops[index], ops[index]->getAttr(kRequestAttrName)});
      widen(ops[index], products[index].noise);
    }
    if (llvm::Error error = quantizeAgain(planned))
      return error;
    if (WorstNoise now(getOutputNoise()); now < worst) {
      count += widened.size();
      worst = now;
      continue;
    }
    // More bits are no better where other noise decides.
    for (auto [op, request] : narrow)
      op->setAttr(kRequestAttrName, request);
    if (llvm::Error error = quantizeAgain(planned))
      return error;
    break;
  }
  if (count)
    report.warnings.push_back(
        llvm::formatv("outputs had {0:f1} dB, so {1} of the {2} products with "
                      "fewer bits have 8: {3:f1} dB now, where "
                      "policy.min-output-sqnr asks for {4}; overrides of a "
                      "recipe keep what they name",
                      toDecibels(before.noise), count, products.size(),
                      toDecibels(worst.noise),
                      formatNumber(report.recipe.policy.minOutputSqnr)));
  return llvm::Error::success();
}
