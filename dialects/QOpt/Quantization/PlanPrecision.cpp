//===- PlanPrecision.cpp - Write the plan on each contraction -------------===//
//
// The plan is what policy makes of a preset. Reasons are written for whatever
// stays float, because the report shows them.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/AsmParser/AsmParser.h"
#include "llvm/Support/Regex.h"

namespace qopt {
#define GEN_PASS_DEF_PLANPRECISIONPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// A table below this many elements is not worth a scale a row.
static constexpr int64_t kMinTableElements = 4096;

namespace {
struct Override {
  std::string pattern, params;
};

struct PlanPrecision : qopt::impl::PlanPrecisionPassBase<PlanPrecision> {
  using PlanPrecisionPassBase::PlanPrecisionPassBase;

  void runOnOperation() override {
    parsedOverrides.clear();
    if (failed(checkOptions()) || failed(parseOverrides()))
      return signalPassFailure();
    getOperation().walk([&](Operation *op) {
      if (isa<ConvOp, MatMulOp, AttentionOp, GatherOp>(op) &&
          !op->hasAttr(kRequestAttrName))
        plan(op);
    });
  }

private:
  SmallVector<Override> parsedOverrides;

  LogicalResult parseOverrides() {
    for (const std::string &text : overrides) {
      auto [pattern, params] = StringRef(text).rsplit('=');
      std::string problem;
      if (!llvm::Regex(pattern).isValid(problem))
        return emitError(getOperation().getLoc(), "override '")
               << text << "': " << problem;
      if (params != "float" && params != "static" && params != "dynamic")
        return emitError(getOperation().getLoc(), "override '")
               << text << "' expects float, static or dynamic";
      parsedOverrides.push_back({pattern.str(), params.str()});
    }
    return success();
  }

  LogicalResult checkOptions() {
    auto fail = [&](StringRef option, const std::string &value,
                    StringRef what) {
      return emitError(getOperation().getLoc(), option)
             << " '" << value << "' expects " << what;
    };
    if (activations != "static" && activations != "dynamic" &&
        activations != "none")
      return fail("activations", activations, "static, dynamic or none");
    if (!lookupFormat(activationFormat))
      return fail("activation-format", activationFormat,
                  "a row of the format table");
    if (!lookupFormat(weightFormat))
      return fail("weight-format", weightFormat, "a row of the format table");
    if (group < 0)
      return fail("group", std::to_string(group), "0 or more");
    for (auto [option, text] : {std::pair<StringRef, const std::string &>(
                                    "weight-scale", weightScale),
                                {"weight-zero", weightZero},
                                {"activation-scale", activationScale}})
      if (!text.empty() && !elementFormatOf(typeOption(text)))
        return fail(option, text, "an element type of the format table");
    return success();
  }

  Type typeOption(const std::string &text) {
    return text.empty() ? Type() : parseType(text, &getContext());
  }

  /// What an override says of `op`, else what the options say.
  std::string paramsFor(Operation *op) {
    std::string name;
    if (auto inner = op->getLoc()->findInstanceOf<NameLoc>())
      name = inner.getName().str();
    std::string params = StringRef(activations).str();
    for (const Override &rule : parsedOverrides)
      if (llvm::Regex(rule.pattern).match(name))
        params = rule.params;
    return params;
  }

  void request(Operation *op, StringRef params, FormatAttr act,
               FormatAttr weight, StringRef why = "") {
    MLIRContext *context = &getContext();
    StringAttr reason =
        why.empty() ? StringAttr() : StringAttr::get(context, why);
    op->setAttr(kRequestAttrName,
                RequestAttr::get(context, params, act, weight, reason));
  }

  FormatAttr weightFormatFor(int64_t outputAxis, int64_t productAxis) {
    FormatAttr row =
        FormatAttr::get(&getContext(), weightFormat, -1, 0, {}, {});
    bool isGrouped = group > 0 || row.isBlocked();
    return FormatAttr::get(&getContext(), weightFormat,
                           isGrouped ? productAxis : outputAxis, group,
                           typeOption(weightScale), typeOption(weightZero));
  }

  FormatAttr activationFormatFor(int64_t axis) {
    FormatAttr row =
        FormatAttr::get(&getContext(), activationFormat, -1, 0, {}, {});
    return FormatAttr::get(&getContext(), activationFormat,
                           row.isBlocked() ? axis : -1, 0,
                           typeOption(activationScale), {});
  }

  void plan(Operation *op) {
    std::string params = paramsFor(op);
    if (params == "float")
      return request(op, "float", {}, {}, "override");
    if (auto gather = dyn_cast<GatherOp>(op))
      return planGather(gather);
    if (isa<AttentionOp>(op))
      return request(op, "float", {}, {}, "attention: float by preset");
    std::optional<WeightedContraction> view = getWeightedContraction(op);
    if (!view)
      return request(op, "float", {}, {},
                     "product of two activations: float by preset");
    // Blocks of a depthwise weight run along its channels, as the activation's.
    FormatAttr weight = weightFormatFor(view->outputAxis,
                                        view->isDepthwise ? view->outputAxis
                                                          : view->productAxis);
    if (view->isDepthwise && weight.isBlocked() && group > 0)
      return request(op, "float", {}, {}, "depthwise: no products to group");
    FormatAttr act;
    if (params != "none")
      act = activationFormatFor(view->activationAxis);
    if (act && act.isBlocked())
      params = "dynamic";
    request(op, act ? params : "weight-only", act, weight);
  }

  void planGather(GatherOp gather) {
    auto table = cast<RankedTensorType>(gather.getX().getType());
    if (!isWeightExpression(gather.getX()) || table.getRank() != 2 ||
        gather.getAxis() != 0 || !table.getElementType().isF32())
      return;
    // Rows that are known are a weight expression, which is evaluated.
    if (isWeightExpression(gather.getIndices()))
      return;
    if (table.getNumElements() < kMinTableElements)
      return request(gather, "float", {}, {}, "small table");
    FormatAttr row =
        FormatAttr::get(&getContext(), weightFormat, -1, 0, {}, {});
    FormatAttr format =
        row.isBlocked()
            ? FormatAttr::get(&getContext(), weightFormat, 1, 0, {}, {})
            : FormatAttr::get(&getContext(), "i8", 0, 0,
                              typeOption(weightScale), {});
    request(gather, "weight-only", {}, format);
  }
};
} // namespace
