//===- QuantizeActivations.cpp - Codes for what lies between contractions -===//
//
// A path begins at a contraction and goes on for as long as each op has an
// integer form. Ops that it leaves out get a reason, because the report shows
// them as islands.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/ActivationParameters.h"
#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Format.h"
#include <cmath>

namespace qopt {
#define GEN_PASS_DEF_QUANTIZEACTIVATIONSPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static bool isFloatTensor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32();
}

/// The value that a quantizer of constants replaced, or `value` itself.
static Value behindQuantizers(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  if (!dequantize)
    return value;
  auto quantize = dequantize.getCodes().getDefiningOp<QuantizeOp>();
  return quantize ? quantize.getX() : value;
}

/// Mean square of the rounding errors of codes: a twelfth of the squared step.
static double noiseOf(const ActivationParameters &parameters) {
  return double(parameters.scale) * parameters.scale / 12;
}

/// Which part of its operands' rounding is in what an op makes. Errors are
/// independent, so a sum has those of all and a mean of n the nth part. A
/// function is a table that is made of exact codes, and what only moves or
/// joins elements rounds none twice.
static double operandGain(Operation *op, CodeRole role) {
  if (role == CodeRole::Average)
    return 1.0 / getAverageCount(op).value();
  return role == CodeRole::Sum ? 1 : 0;
}

/// Makes values, not decisions about numbers.
static bool computesFloats(Operation *op) {
  return isa_and_nonnull<QOptDialect>(op->getDialect()) &&
         !isa<ConstantOp, QuantizeOp, DequantizeOp, QuantizeDynamicOp>(op) &&
         op->getNumResults() > 0 && isFloatTensor(op->getResult(0));
}

namespace {
struct QuantizeActivations
    : qopt::impl::QuantizeActivationsPassBase<QuantizeActivations> {
  using QuantizeActivationsPassBase::QuantizeActivationsPassBase;

  void runOnOperation() override {
    if (activationRounding != "nearest" && activationRounding != "ceil") {
      emitError(getOperation().getLoc(), "activation-rounding '")
          << activationRounding << "' expects nearest or ceil";
      return signalPassFailure();
    }
    path.clear();
    parameters.clear();
    getOperation().walk([&](Operation *op) { follow(op); });
    for (auto &[value, chosen] : parameters)
      quantize(value, chosen);
    numQuantized += parameters.size();
  }

private:
  /// Ops on a path, each after the ops that make its operands.
  llvm::SmallPtrSet<Operation *, 32> path;
  llvm::MapVector<Value, ActivationParameters> parameters;

  void follow(Operation *op) {
    if (!computesFloats(op) || isWeightExpression(op->getResult(0)))
      return;
    StringRef why;
    CodeRole role = getCodeRole(op, why);
    if (role == CodeRole::Contraction) {
      path.insert(op);
      return;
    }
    SmallVector<Value> operands = getActivations(op);
    for (Value &operand : operands)
      operand = behindQuantizers(operand);
    bool isAfterCodes = llvm::any_of(operands, [&](Value operand) {
      return operand.getDefiningOp() && path.contains(operand.getDefiningOp());
    });
    if (!isAfterCodes)
      return;
    if (role == CodeRole::None)
      return explain(op, why);
    // All or nothing: an op with one float operand is a float op.
    SmallVector<std::pair<Value, ActivationParameters>> made;
    std::string reason;
    double noiseBefore = 0;
    for (Value operand : operands)
      if (!isInsideOfStep(operand)) {
        auto chosen = chooseFor(operand, /*noiseBefore=*/0, reason);
        if (!chosen)
          return explain(op, reason);
        noiseBefore += operandGain(op, role) * noiseOf(*chosen);
        made.push_back({operand, *chosen});
      }
    for (Value result : op->getResults())
      if (!isInsideOfStep(result)) {
        auto chosen = role == CodeRole::Preserving
                          ? std::optional(made.front().second)
                          : chooseFor(result, noiseBefore, reason);
        if (!chosen)
          return explain(op, reason);
        made.push_back({result, *chosen});
      }
    if (role == CodeRole::Concat && !isReadByProductsAlone(op))
      for (Value operand : operands)
        if (!keepsSqnr(operand, noiseOf(made.back().second), reason)) {
          reason = "a part has " + reason;
          return explain(op, reason);
        }
    path.insert(op);
    for (auto &[value, chosen] : made)
      if (!isExit(value))
        parameters.insert({value, chosen});
  }

  /// A contraction's sum that only floats read leaves as it is, and in full.
  bool isExit(Value value) {
    Operation *op = value.getDefiningOp();
    if (op && isClamp(op))
      op = op->getOperand(0).getDefiningOp();
    if (op && isa<AddOp>(op) && getActivations(op).size() == 1)
      op = getActivations(op).front().getDefiningOp();
    StringRef why;
    bool isProduct = op && getCodeRole(op, why) == CodeRole::Contraction;
    return isProduct && llvm::none_of(value.getUsers(), [&](Operation *user) {
             return isa<QuantizeOp>(user) ||
                    getCodeRole(user, why) != CodeRole::None;
           });
  }

  /// Parameters for the codes of `value`; none, with the reason, where it is
  /// to stay float. What makes it has noise of its own already.
  std::optional<ActivationParameters> chooseFor(Value value, double noiseBefore,
                                                std::string &reason) {
    if (auto known = parameters.find(value); known != parameters.end())
      return known->second;
    for (Operation *user : value.getUsers())
      if (auto quantize = dyn_cast<QuantizeOp>(user);
          quantize && isOfFile(quantize)) {
        reason = "the file has codes for it";
        return std::nullopt;
      }
    std::optional<Statistics> stats = qopt::getStatistics(value);
    if (!stats) {
      reason = "ran on no calibration sample";
      return std::nullopt;
    }
    // A mask of minus infinities is more than a very small number.
    if (stats->nonFinite) {
      reason = "codes have no infinity and no NaN";
      return std::nullopt;
    }
    MLIRContext *context = &getContext();
    auto format = FormatAttr::get(context, "i8", -1, 0,
                                  Float8E8M0FNUType::get(context), {});
    auto chosen = chooseActivationParameters(*stats, format,
                                             activationRounding == "ceil"
                                                 ? Pow2Rounding::Ceil
                                                 : Pow2Rounding::Nearest);
    if (!keepsSqnr(value, noiseBefore + noiseOf(chosen), reason))
      return std::nullopt;
    return chosen;
  }

  /// True unless the noise is too much for what `value` has shown.
  bool keepsSqnr(Value value, double noise, std::string &reason) {
    std::optional<Statistics> stats = qopt::getStatistics(value);
    if (!stats || stats->meanSquare == 0)
      return true;
    double sqnr = 10 * std::log10(stats->meanSquare / noise);
    if (sqnr >= minSqnr)
      return true;
    llvm::raw_string_ostream(reason)
        << "SQNR " << llvm::format("%.0f", sqnr) << " dB < "
        << llvm::format("%.0f", minSqnr.getValue());
    return false;
  }

  /// True where products read a joined tensor, which see its codes anyway.
  static bool isReadByProductsAlone(Operation *op) {
    return llvm::all_of(op->getUsers(), [](Operation *user) {
      StringRef why;
      return isa<QuantizeOp>(user) ||
             (getCodeRole(user, why) == CodeRole::Preserving &&
              isReadByProductsAlone(user));
    });
  }

  /// Lets every user read the dequantized codes of `value`.
  void quantize(Value value, const ActivationParameters &chosen) {
    SmallVector<QuantizeOp> before;
    for (Operation *user : value.getUsers())
      if (auto op = dyn_cast<QuantizeOp>(user))
        before.push_back(op);
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(value);
    Value real = quantizeActivationStatic(builder, value, chosen);
    Operation *quantizer =
        real.getDefiningOp<DequantizeOp>().getCodes().getDefiningOp();
    value.replaceAllUsesExcept(real, quantizer);
    for (QuantizeOp op : before)
      for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
        if (auto dequantize = dyn_cast<DequantizeOp>(user)) {
          dequantize.replaceAllUsesWith(real);
          dequantize.erase();
        }
    for (QuantizeOp op : before)
      if (op->use_empty())
        op.erase();
  }

  void explain(Operation *op, StringRef why) {
    if (op->hasAttr(kRequestAttrName))
      return;
    op->setAttr(kRequestAttrName,
                RequestAttr::get(&getContext(), Params::Float, {}, {},
                                 StringAttr::get(&getContext(), why)));
  }
};
} // namespace
