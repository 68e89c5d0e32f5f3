//===- WidenPlan.cpp - More bits where few ruin the outputs ---------------===//
//
// A program that its user would be warned of is planned again. It costs time
// only there: every product is tried by itself.
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

llvm::Error Compilation::widenPlan(ModuleOp planned) {
  double bound = boundOf(report.recipe);
  auto isPoor = [&] {
    return llvm::any_of(getOutputNoise(),
                        [&](double noise) { return noise > bound; });
  };
  if (report.recipe.policy.minOutputSqnr == 0 || !isPoor())
    return llvm::Error::success();
  double before = toDecibels(*llvm::max_element(getOutputNoise()));
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
  for (int round = 0; round < kMaxRounds && isPoor(); ++round) {
    llvm::SmallVector<size_t> widened =
        widenProducts(products, getOutputNoise(), bound);
    if (widened.empty())
      break;
    count += widened.size();
    for (size_t index : widened)
      widen(ops[index], products[index].noise);
    module = planned.clone();
    report.errors.clear();
    if (llvm::Error error = fixNumbers())
      return error;
  }
  if (count)
    report.warnings.push_back(
        llvm::formatv("outputs had {0:f1} dB, so {1} of the {2} products with "
                      "fewer bits have 8; overrides and "
                      "policy.min-output-sqnr of a recipe say otherwise",
                      before, count, products.size()));
  return llvm::Error::success();
}
