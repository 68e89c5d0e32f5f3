//===- ChooseDynamic.cpp - Static activations made dynamic ----------------===//
//
// Compares the rounding error of one range for all data with that of a range a
// row, both from statistics.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "llvm/Support/Format.h"
#include <cmath>

namespace qopt {
#define GEN_PASS_DEF_CHOOSEDYNAMICPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Decibels by which the squared step of the static range exceeds that of a
/// row's own range, in the mean over rows. Static codes are asymmetric, dynamic
/// ones symmetric.
static double staticCost(const Statistics &stats) {
  double range = std::max(stats.max, 0.0f) - std::min(stats.min, 0.0f);
  // What is clipped in new data counts as if it were a wider step.
  double staticStep =
      range * range / (255.0 * 255.0) + 12 * double(stats.unseenSquare);
  double dynamicStep = stats.rowPeakSquare / (127.0 * 127.0);
  if (staticStep == 0 || dynamicStep == 0)
    return 0;
  return 10 * std::log10(staticStep / dynamicStep);
}

/// A range that is made from data has no zero, so its codes are signed.
static FormatAttr signedForm(FormatAttr format) {
  if (!format.getElementType().isUnsignedInteger())
    return format;
  return FormatAttr::get(format.getContext(), format.getName().drop_front(),
                         format.getAxis(), format.getBlock(), format.getScale(),
                         format.getZero());
}

namespace {
struct ChooseDynamic : qopt::impl::ChooseDynamicPassBase<ChooseDynamic> {
  using ChooseDynamicPassBase::ChooseDynamicPassBase;

  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
      std::optional<Contraction> view = getWeightedContraction(op);
      if (!request || request.getParams() != Params::Static || !view ||
          isInCodesOf(view->lhs.tensor, request.getAct()))
        return;
      std::optional<Statistics> stats = qopt::getStatistics(view->lhs.tensor);
      // No power of two is made from data.
      bool isPow2 =
          isa<Float8E8M0FNUType>(request.getAct().getScaleTypes().front());
      if (!stats || stats->samples == 0)
        return makeOther(op, request, isPow2 ? Params::Float : Params::Dynamic,
                         stats && stats->nonFinite
                             ? "is NaN or infinity in all samples"
                             : "ran on no calibration sample");
      if (isPow2)
        return;
      double cost = staticCost(*stats);
      if (cost > maxCost) {
        std::string why;
        llvm::raw_string_ostream(why)
            << "static costs " << llvm::format("%.1f", cost) << " dB";
        makeOther(op, request, Params::Dynamic, why);
      }
    });
  }

private:
  void makeOther(Operation *op, RequestAttr request, Params params,
                 StringRef why) {
    bool isFloat = params == Params::Float;
    // A reason that is there already stays.
    std::string reasons = request.getWhy() ? request.getWhy().str() + "; " : "";
    reasons += why;
    op->setAttr(
        kRequestAttrName,
        RequestAttr::get(&getContext(), params,
                         isFloat ? FormatAttr() : signedForm(request.getAct()),
                         isFloat ? FormatAttr() : request.getWeight(),
                         StringAttr::get(&getContext(), reasons)));
  }
};
} // namespace
