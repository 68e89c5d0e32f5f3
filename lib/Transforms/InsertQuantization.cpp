//===- InsertQuantization.cpp - Quantize and dequantize by request --------===//
//
// The form after this pass is the one in which quantized ONNX models come, so
// both go the same way from here.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "dialects/QOpt/Quantization/ActivationParameters.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/CorrectBias.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "qopt/Reference/ExpressionValue.h"
#include "qopt/Transforms/Methods.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>

namespace qopt {
#define GEN_PASS_DEF_INSERTQUANTIZATIONPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
struct InsertQuantization
    : qopt::impl::InsertQuantizationPassBase<InsertQuantization> {
  using InsertQuantizationPassBase::InsertQuantizationPassBase;
  InsertQuantization(const InsertQuantizationPassOptions &options,
                     const MethodRegistry &methods)
      : InsertQuantizationPassBase(options), methods(&methods) {}

  void runOnOperation() override {
    if (failed(readOptions()))
      return signalPassFailure();
    dequantized.clear();
    SmallVector<Operation *> requested;
    getOperation().walk([&](Operation *op) {
      auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
      bool wasRounded = op->hasAttr(kRoundedAttrName);
      if (!onlyNext)
        op->removeAttr(kRoundedAttrName);
      if (onlyNext && !op->removeAttr(kRoundNextAttrName))
        return;
      if (request && request.getParams() != Params::Float && !wasRounded)
        requested.push_back(op);
    });
    for (Operation *op : requested)
      if (failed(
              quantize(op, op->getAttrOfType<RequestAttr>(kRequestAttrName))))
        return signalPassFailure();
      else if (onlyNext)
        op->setAttr(kRoundedAttrName, UnitAttr::get(&getContext()));
  }

private:
  const MethodRegistry *methods = &getMethods();
  MethodOptions methodOptions;
  WeightQuantizerOptions weightOptions;
  Pow2Rounding activationPow2 = Pow2Rounding::Nearest;
  /// Dequantized forms of activations and weights already made.
  DenseMap<std::pair<Value, Attribute>, Value> dequantized;

  LogicalResult readOptions() {
    auto exponents =
        llvm::StringSwitch<std::optional<Pow2Rounding>>(pow2Rounding)
            .Case("nearest", Pow2Rounding::Nearest)
            .Case("ceil", Pow2Rounding::Ceil)
            .Case("floor", Pow2Rounding::Floor)
            .Case("best", Pow2Rounding::Best)
            .Default(std::nullopt);
    if (!exponents)
      return emitError(getOperation().getLoc(), "pow2-rounding '")
             << pow2Rounding << "' expects nearest, ceil, floor or best";
    if (!symbolizeScaleRule(scaleRule))
      return emitError(getOperation().getLoc(), "scale-rule '")
             << scaleRule << "' expects floor, ceil or even";
    if (activationRounding != "nearest" && activationRounding != "ceil")
      return emitError(getOperation().getLoc(), "activation-rounding '")
             << activationRounding << "' expects nearest or ceil";
    if (pow2Scales != "m1" && pow2Scales != "m2")
      return emitError(getOperation().getLoc(), "pow2-scales '")
             << pow2Scales << "' expects m1 or m2";
    activationPow2 = activationRounding == "ceil" ? Pow2Rounding::Ceil
                                                  : Pow2Rounding::Nearest;
    weightOptions = {clipSearch, *exponents, pow2Scales == "m2"};
    methodOptions = methods->getRoundingOptions();
    if (llvm::Error error = methodOptions.read(rounding))
      return emitError(getOperation().getLoc(), "rounding: ")
             << llvm::toString(std::move(error));
    return success();
  }

  LogicalResult quantize(Operation *op, RequestAttr request) {
    if (auto gather = dyn_cast<GatherOp>(op))
      return quantizeWeightOperand(op, gather.getXMutable(),
                                   request.getWeight());
    std::optional<Contraction> view = getWeightedContraction(op);
    if (!view)
      return op->emitOpError("is requested in codes but has no weight");
    std::optional<Statistics> stats = qopt::getStatistics(view->lhs.tensor);
    if (request.getAct() && failed(quantizeActivation(op, *view, request)))
      return failure();
    OpOperand &weight = *view->rhs.operand;
    Value exact = weight.get();
    if (failed(quantizeWeightOperand(op, weight, request.getWeight())))
      return failure();
    if (correctsBias && stats)
      correct(op, *stats, exact, weight.get());
    return success();
  }

  static void correct(Operation *op, const Statistics &stats, Value exact,
                      Value coded) {
    if (exact == coded)
      return;
    std::optional<HostTensor> before = evaluateExpression(exact);
    std::optional<HostTensor> after = evaluateExpression(coded);
    if (before && after)
      correctBias(op, stats, *before, *after);
  }

  LogicalResult quantizeWeightOperand(Operation *op, OpOperand &operand,
                                      FormatAttr format) {
    Attribute moments = op->removeAttr(kMomentsAttrName),
              rows = op->removeAttr(kRowsAttrName);
    if (isInCodesOf(operand.get(), format))
      return success();
    Value &known = dequantized[{operand.get(), format}];
    if (known) {
      operand.set(known);
      return success();
    }
    // A weight that the model has in codes of another format is still an
    // expression.
    std::optional<HostTensor> tensor;
    if (isWeightExpression(operand.get()))
      tensor = evaluateExpression(operand.get());
    if (!tensor)
      return op->emitOpError("expects a weight that can be evaluated");
    FailureOr<QuantizedWeight> weight =
        round(op, moments, rows, *tensor, format);
    if (failed(weight))
      return failure();
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(operand.get());
    Location loc = operand.get().getLoc();
    Value codes =
        createConstant(builder, loc, weight->codes, format.getElementType());
    SmallVector<Value> scales, zeros;
    for (const HostTensor &scale : weight->scales)
      scales.push_back(
          createConstant(builder, loc, scale,
                         getMLIRElementType(scale.getType(), &getContext())));
    for (const HostTensor &zero : weight->zeros)
      zeros.push_back(createConstant(builder, loc, zero, format.getZero()));
    known = DequantizeOp::create(builder, loc, operand.get().getType(), codes,
                                 scales, zeros, format);
    operand.set(known);
    return success();
  }

  /// What the rounding method makes of a weight.
  FailureOr<QuantizedWeight> round(Operation *op, Attribute momentsAttr,
                                   Attribute rowsAttr, const HostTensor &tensor,
                                   FormatAttr format) {
    LayerToRound layer{op, tensor, {}, {}};
    size_t products = tensor.getRank() ? tensor.getDims().front() : 1;
    bool isProduct = tensor.getRank() == 2;
    if (auto moments =
            dyn_cast_or_null<DenseF64ResourceElementsAttr>(momentsAttr)) {
      layer.moments = moments.tryGetAsArrayRef().value_or(ArrayRef<double>());
      if (!isProduct || layer.moments.size() != products * products)
        return op->emitOpError("expects moments of ")
               << products << "x" << products;
    }
    if (auto rows = dyn_cast_or_null<DenseF32ResourceElementsAttr>(rowsAttr)) {
      layer.rows = rows.tryGetAsArrayRef().value_or(ArrayRef<float>());
      if (!isProduct || layer.rows.size() % std::max<size_t>(products, 1))
        return op->emitOpError("expects rows of ") << products << " numbers";
    }
    auto rounded =
        methods->getRoundingMethod(methodOptions)
            .round(layer, WeightGrid(format, weightOptions), methodOptions);
    if (!rounded)
      return op->emitOpError(llvm::toString(rounded.takeError()));
    return std::move(*rounded);
  }

  LogicalResult quantizeActivation(Operation *op, const Contraction &view,
                                   RequestAttr request) {
    Value x = view.lhs.tensor;
    if (request.getParams() == Params::Static &&
        isInCodesOf(x, request.getAct()))
      return success();
    Attribute key = ArrayAttr::get(
        &getContext(),
        {request.getAct(),
         StringAttr::get(&getContext(), stringifyParams(request.getParams())),
         BoolAttr::get(&getContext(), view.isConvolution)});
    Value &known = dequantized[{x, key}];
    if (!known) {
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfterValue(x);
      known = request.getParams() == Params::Static
                  ? quantizeStatic(builder, op, x, request.getAct())
                  : quantizeDynamic(builder, x, request.getAct(),
                                    view.isConvolution);
    }
    if (!known)
      return failure();
    view.lhs.operand->set(known);
    return success();
  }

  Value quantizeStatic(OpBuilder &builder, Operation *op, Value x,
                       FormatAttr format) {
    std::optional<Statistics> stats = qopt::getStatistics(x);
    if (!stats) {
      op->emitOpError("expects statistics of its activation");
      return {};
    }
    if (!isa<IntegerType>(format.getElementType()) || format.isBlocked()) {
      op->emitOpError(
          "expects integer codes for static activations, but found ")
          << format;
      return {};
    }
    return quantizeActivationStatic(
        builder, x, chooseActivationParameters(*stats, format, activationPow2));
  }

  Value quantizeDynamic(OpBuilder &builder, Value x, FormatAttr format,
                        bool isConv) {
    auto type = cast<RankedTensorType>(x.getType());
    SmallVector<Type> resultTypes{type.clone(format.getElementType())};
    for (auto [i, scaleType] : llvm::enumerate(format.getScaleTypes())) {
      SmallVector<int64_t> dims(type.getRank(), 1);
      if (i == 0 && format.isBlocked()) {
        dims.assign(type.getShape().begin(), type.getShape().end());
        int64_t &dim = dims[format.getAxis()];
        if (!ShapedType::isDynamic(dim))
          dim = llvm::divideCeil(dim, format.getBlockSize());
      } else if (isConv) {
        dims[0] = type.getDimSize(0);
      } else {
        dims.assign(type.getShape().begin(), type.getShape().end());
        dims.back() = 1;
      }
      resultTypes.push_back(RankedTensorType::get(dims, scaleType));
    }
    auto quantized = QuantizeDynamicOp::create(
        builder, x.getLoc(), resultTypes, x, format,
        isConv ? Per::Sample : Per::Row, *symbolizeScaleRule(scaleRule));
    return DequantizeOp::create(builder, x.getLoc(), type, quantized.getCodes(),
                                quantized.getScales(), ValueRange(), format);
  }
};
} // namespace

std::unique_ptr<Pass>
qopt::createInsertQuantizationPass(const InsertQuantizationPassOptions &options,
                                   const MethodRegistry &methods) {
  return std::make_unique<InsertQuantization>(options, methods);
}
