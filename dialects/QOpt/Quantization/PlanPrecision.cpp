//===- PlanPrecision.cpp - Write the plan on each contraction -------------===//
//
// The plan is what policy makes of a preset. Reasons are written for whatever
// stays float, because the report shows them.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/Quantization/NodePattern.h"
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

static bool isOneConstant(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return value.getDefiningOp<ConstantOp>() && type.getNumElements() == 1;
}

/// The dequantize of integers, without blocks, that `value` is; else null.
static DequantizeOp getIntegers(Value value) {
  auto op = value.getDefiningOp<DequantizeOp>();
  bool isInteger = op && op.getFormat() && !op.getFormat()->isBlocked() &&
                   isa<IntegerType>(op.getFormat()->getElementType());
  return isInteger ? op : DequantizeOp();
}

/// True for codes with one scale, as static activations have them.
static bool isPerTensor(DequantizeOp op) {
  return op.getScales().size() == 1 &&
         llvm::all_of(llvm::concat<Value>(op.getScales(), op.getZeros()),
                      isOneConstant);
}

/// True where the model came with codes for all that `op` reads.
static bool readsCodesAlone(Operation *op) {
  auto isDequantized = [](Value value) {
    return value.getDefiningOp<DequantizeOp>() != nullptr;
  };
  if (auto gather = dyn_cast<GatherOp>(op))
    return isDequantized(gather.getX());
  if (!isContractionOfCodes(op))
    return false;
  Contraction sum = cast<ContractionOpInterface>(op).getContraction();
  return isDequantized(sum.lhs.tensor) && isDequantized(sum.rhs.tensor);
}

namespace {
/// What is to become of an op: a request whose formats have no axis yet.
struct Override {
  NodePattern pattern;
  RequestAttr plan;
};

/// An ONNX node as the module's table has it.
struct NodeName {
  StringRef node, op;
};

struct PlanPrecision : qopt::impl::PlanPrecisionPassBase<PlanPrecision> {
  using PlanPrecisionPassBase::PlanPrecisionPassBase;

  void runOnOperation() override {
    parsedOverrides.clear();
    nodes.clear();
    if (failed(checkOptions()) || failed(parseOverrides()))
      return signalPassFailure();
    readNodes();
    RequestAttr plan = makeDefaultPlan();
    getOperation().walk([&](Operation *op) {
      bool isPlanned =
          isContractionOfCodes(op) || isa<AttentionOp, GatherOp>(op);
      if (!isPlanned || op->hasAttr(kRequestAttrName))
        return;
      const Override *rule = findOverride(op);
      // Only who names a node undoes what the model says of it.
      if (!rule && readsCodesAlone(op))
        return;
      if (RequestAttr chosen = rule ? rule->plan : plan)
        apply(op, chosen, /*isOverride=*/rule != nullptr);
    });
  }

private:
  SmallVector<Override> parsedOverrides;
  DenseMap<int64_t, NodeInfoAttr> nodes;

  /// An override is `nodes = "REGEX", ops = "REGEX", plan = REQUEST`.
  FailureOr<Override> parseOverride(StringRef text) {
    auto fail = [&](const Twine &what) {
      return emitError(getOperation().getLoc(), "override '")
             << text << "' " << what;
    };
    std::string problems;
    DictionaryAttr fields;
    {
      ScopedDiagnosticHandler handler(&getContext(), [&](Diagnostic &problem) {
        problems += (problems.empty() ? "" : "; ") + problem.str();
        return success();
      });
      fields = dyn_cast_if_present<DictionaryAttr>(
          parseAttribute(("{" + text + "}").str(), &getContext()));
    }
    if (!fields)
      return fail("expects NAME = VALUE, ...: " + problems);
    Override rule;
    for (NamedAttribute field : fields) {
      if (field.getName() == "plan") {
        rule.plan = dyn_cast<RequestAttr>(field.getValue());
        continue;
      }
      auto pattern = dyn_cast<StringAttr>(field.getValue());
      if (!pattern || (field.getName() != "nodes" && field.getName() != "ops"))
        return fail("expects nodes, ops and plan, but found '" +
                    field.getName().strref() + "'");
      std::string problem;
      if (!pattern.empty() && !llvm::Regex(pattern.getValue()).isValid(problem))
        return fail("has '" + pattern.getValue() + "': " + problem);
      (field.getName() == "ops" ? rule.pattern.ops : rule.pattern.nodes) =
          pattern.str();
    }
    if (!rule.plan)
      return fail("expects a plan that is a #qopt.request");
    return rule;
  }

  LogicalResult parseOverrides() {
    for (const std::string &text : overrides) {
      FailureOr<Override> rule = parseOverride(text);
      if (failed(rule))
        return failure();
      parsedOverrides.push_back(*rule);
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
    if (!weightFormat.empty() && !lookupFormat(weightFormat))
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

  void readNodes() {
    auto module = getOperation()->getParentOfType<ModuleOp>();
    auto table =
        module ? module->getAttrOfType<ArrayAttr>(kNodesAttrName) : ArrayAttr();
    if (!table)
      return;
    for (auto info : table.getAsRange<NodeInfoAttr>())
      nodes[info.getId()] = info;
  }

  /// The node that computes the products of `op`; without a table the name in
  /// its location.
  NodeName nodeOf(Operation *op) {
    auto id = findNodeOfProducts(
        getNodeIds(op->getLoc()), [&](int64_t id) -> std::optional<StringRef> {
          auto it = nodes.find(id);
          return it == nodes.end() ? std::nullopt
                                   : std::optional(it->second.getOp());
        });
    if (id)
      return {nodes[*id].getName(), nodes[*id].getOp()};
    if (auto inner = op->getLoc()->findInstanceOf<NameLoc>())
      return {inner.getName().getValue(), ""};
    return {};
  }

  /// The last override of the node wins.
  const Override *findOverride(Operation *op) {
    NodeName name = nodeOf(op);
    for (const Override &rule : llvm::reverse(parsedOverrides))
      if (rule.pattern.matches(name.node, name.op))
        return &rule;
    return nullptr;
  }

  void request(Operation *op, Params params, FormatAttr act, FormatAttr weight,
               StringRef why = "") {
    MLIRContext *context = &getContext();
    StringAttr reason =
        why.empty() ? StringAttr() : StringAttr::get(context, why);
    op->setAttr(kRequestAttrName,
                RequestAttr::get(context, params, act, weight, reason));
  }

  /// What the options say; null where weights stay as they are.
  RequestAttr makeDefaultPlan() {
    MLIRContext *context = &getContext();
    if (weightFormat.empty())
      return {};
    auto weight =
        FormatAttr::get(context, weightFormat, -1, group,
                        typeOption(weightScale), typeOption(weightZero));
    FormatAttr act;
    if (activations != "none")
      act = FormatAttr::get(context, activationFormat, -1, 0,
                            typeOption(activationScale), {});
    return RequestAttr::get(
        context, act ? *symbolizeParams(activations) : Params::WeightOnly, act,
        weight, StringAttr());
  }

  static FormatAttr withAxis(FormatAttr format, int64_t axis) {
    return FormatAttr::get(format.getContext(), format.getName(), axis,
                           format.getBlock(), format.getScale(),
                           format.getZero());
  }

  void apply(Operation *op, RequestAttr plan, bool isOverride) {
    if (plan.getParams() == Params::Float)
      return request(op, Params::Float, {}, {}, isOverride ? "override" : "");
    if (auto gather = dyn_cast<GatherOp>(op))
      return planGather(gather, plan);
    if (isa<AttentionOp>(op))
      return request(op, Params::Float, {}, {}, "attention: float by preset");
    std::optional<Contraction> view = getWeightedContraction(op);
    if (!view)
      return request(op, Params::Float, {}, {},
                     "product of two activations: float by preset");
    FormatAttr weight = plan.getWeight(), act = plan.getAct();
    if (!isOverride && view->rhs.tensor.getDefiningOp<DequantizeOp>())
      return planActivation(op, *view, plan);
    // Blocks of a depthwise weight run along its channels, as the activation's.
    bool isDepthwise = view->isDepthwise();
    if (isDepthwise && weight.getBlock() > 0)
      return request(op, Params::Float, {}, {},
                     "depthwise: no products to group");
    weight = withAxis(weight, weight.isBlocked() && !isDepthwise
                                  ? view->rhs.getProductAxis()
                                  : view->rhs.getOutputAxis());
    if (!act)
      return request(op, plan.getParams(), {}, weight);
    if (act.isBlocked())
      return request(op, Params::Dynamic,
                     withAxis(act, view->lhs.getProductAxis()), weight);
    auto codes = getIntegers(view->lhs.tensor);
    if (!isOverride && codes && isPerTensor(codes))
      return request(op, Params::Static, codes.getFormatAttr(), weight,
                     "activation from the file");
    request(op, plan.getParams(), withAxis(act, -1), weight);
  }

  /// Plans integers for the activation of a weight that the model has in codes,
  /// where these make a sum with integers.
  void planActivation(Operation *op, const Contraction &view,
                      RequestAttr plan) {
    auto weight = getIntegers(view.rhs.tensor);
    FormatAttr act = plan.getAct();
    if (weight && act && !act.isBlocked())
      request(op, plan.getParams(), withAxis(act, -1), weight.getFormatAttr(),
              "weight from the file");
  }

  void planGather(GatherOp gather, RequestAttr plan) {
    auto table = cast<RankedTensorType>(gather.getX().getType());
    if (!isWeightExpression(gather.getX()) || table.getRank() != 2 ||
        gather.getAxis() != 0 || !table.getElementType().isF32())
      return;
    // Rows that are known are a weight expression, which is evaluated.
    if (isWeightExpression(gather.getIndices()))
      return;
    if (table.getNumElements() < kMinTableElements)
      return request(gather, Params::Float, {}, {}, "small table");
    FormatAttr weight = plan.getWeight();
    bool isTableBlocked = lookupFormat(weight.getName())->block > 0;
    FormatAttr format =
        isTableBlocked
            ? FormatAttr::get(&getContext(), weight.getName(), 1, 0, {}, {})
            : FormatAttr::get(&getContext(), "i8", 0, 0, weight.getScale(), {});
    request(gather, Params::WeightOnly, {}, format);
  }
};
} // namespace
