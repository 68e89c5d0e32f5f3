//===- FormQuantizedOps.cpp - Dequantize, op, quantize to ops on codes ----===//
//
// Integer codes per tensor or channel become an exact i32 sum; what has groups,
// blocks or floats on one side becomes a contraction with scales beside its
// operands. A weight that neither takes is decoded here: kernels read no weight
// that is computed.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/IR/TypeInference.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/IntegerBias.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "qopt/Reference/ExpressionValue.h"
#include "qopt/Transforms/Passes.h"

namespace qopt {
#define GEN_PASS_DEF_FORMQUANTIZEDOPSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static bool isBlocked(DequantizeOp op) {
  return op.getFormat() && op.getFormat()->isBlocked();
}

/// True when the plan leaves the activation of `op` as it is.
static bool isWeightOnly(Operation *op) {
  auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
  return request && !request.getAct();
}

/// True where an override takes back the codes that the model came with.
static bool isPlannedFloat(Operation *op) {
  auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
  return request && request.getParams() == Params::Float;
}

static bool hasNarrowCodes(DequantizeOp op) {
  return typeOf(op.getCodes()).getElementTypeBitWidth() <= 8;
}

static bool hasIntegerCodes(DequantizeOp op) {
  return hasNarrowCodes(op) &&
         isa<IntegerType>(typeOf(op.getCodes()).getElementType());
}

/// True when every scale and zero has size 1 on each of `axes`.
static bool isUniformAlong(DequantizeOp op, ArrayRef<int64_t> axes) {
  for (Value value : llvm::concat<Value>(op.getScales(), op.getZeros()))
    for (int64_t axis : axes)
      if (typeOf(value).getDimSize(axis) != 1)
        return false;
  return true;
}

/// Largest |code - zero|, whatever the zero is.
static int64_t largestDistance(DequantizeOp op) {
  auto type = cast<IntegerType>(typeOf(op.getCodes()).getElementType());
  int64_t codes = int64_t(1) << type.getWidth();
  bool fromMiddle = op.getZeros().empty() && !type.isUnsigned();
  return fromMiddle ? codes / 2 : codes - 1;
}

static bool isScalarTensor(Value value) {
  return typeOf(value).hasStaticShape() && typeOf(value).getNumElements() == 1;
}

/// Dims of a per-channel operand of a result of `rank`, channels on `axis`.
static SmallVector<int64_t> channelDims(int64_t rank, int64_t axis,
                                        int64_t size) {
  SmallVector<int64_t> dims(rank, 1);
  dims[axis] = size;
  return dims;
}

namespace {
/// A contraction, and the dequantize that makes each of its sides; null where
/// something else does.
struct CodedSum {
  ContractionOpInterface op;
  Contraction sum;
  DequantizeOp x, w;

  Value bias() const { return sum.bias ? sum.bias->get() : Value(); }
};

/// A pattern that gives codes to a contraction whose rhs has none yet.
struct FormCodes : OpInterfaceRewritePattern<ContractionOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(ContractionOpInterface op,
                                PatternRewriter &rewriter) const final {
    if (!op.takesCodes())
      return rewriter.notifyMatchFailure(op, "it has no room for codes");
    Contraction sum = op.getContraction();
    if (!sum.rhs.scales.empty())
      return rewriter.notifyMatchFailure(op, "it has codes");
    if (!sum.isConvolution && sum.rhs.getType().getRank() != 2)
      return rewriter.notifyMatchFailure(op, "a product of no weight");
    return form({op, sum, sum.lhs.tensor.getDefiningOp<DequantizeOp>(),
                 sum.rhs.tensor.getDefiningOp<DequantizeOp>()},
                rewriter);
  }

  virtual LogicalResult form(CodedSum coded,
                             PatternRewriter &rewriter) const = 0;
};

/// Integer codes on both sides: an i32 sum, then one dequantization.
struct FormIntegerSum : FormCodes {
  explicit FormIntegerSum(MLIRContext *context)
      : FormCodes(context, /*benefit=*/2) {}

  LogicalResult form(CodedSum coded, PatternRewriter &rewriter) const override {
    auto &[op, sum, x, w] = coded;
    if (!x || !w || !hasIntegerCodes(x) || !hasIntegerCodes(w))
      return rewriter.notifyMatchFailure(op, "an operand has no integer codes");
    if (isWeightOnly(op))
      return rewriter.notifyMatchFailure(op, "the activation stays float");
    // One block can be all of the products, but its unit need not be 1.
    if (isBlocked(x) || isBlocked(w))
      return rewriter.notifyMatchFailure(op, "codes come in blocks");
    if (!isUniformAlong(x, sum.lhs.getSummedAxes()) ||
        !isUniformAlong(w, sum.rhs.getSummedAxes()))
      return rewriter.notifyMatchFailure(op, "scales vary along the products");
    if (!llvm::all_of(x.getZeros(), isScalarTensor) ||
        !llvm::all_of(w.getZeros(), isScalarTensor) ||
        w.getScales().size() != 1)
      return rewriter.notifyMatchFailure(op, "zeros vary");
    if (sum.countProducts() >
        kMaxSumOfProducts / (largestDistance(x) * largestDistance(w)))
      return rewriter.notifyMatchFailure(op, "an i32 sum could wrap");
    auto result = typeOf(op->getResult(0));
    int64_t outputs = sum.rhs.getType().getDimSize(sum.rhs.getOutputAxis());
    bool isPerChannel = !isScalarTensor(w.getScales()[0]);
    Value ws =
        reshapeConstant(rewriter, w.getScales()[0],
                        channelDims(result.getRank(), sum.getResultOutputAxis(),
                                    isPerChannel ? outputs : 1));
    if (!ws)
      return rewriter.notifyMatchFailure(op,
                                         "the weight's scale is no constant");
    Value codes =
        op.rebuild(rewriter, result.clone(rewriter.getI32Type()),
                   withoutScales(x), withoutScales(w), /*bias=*/Value());
    SmallVector<Value> scales(x.getScales());
    scales.push_back(ws);
    Value real = DequantizeOp::create(rewriter, op->getLoc(), result, codes,
                                      scales, ValueRange(), FormatAttr());
    if (Value bias = coded.bias())
      real = AddOp::create(
          rewriter, op->getLoc(), result, real,
          alignBias(rewriter, op->getLoc(), bias, result, outputs));
    rewriter.replaceOp(op, real);
    return success();
  }

private:
  static ScaledTensor withoutScales(DequantizeOp op) {
    return {op.getCodes(), ScaledTensor::noOperands(), op.getZeros(),
            op.getFormatAttr()};
  }

  /// A bias along the channels of `result`, which are on axis 1.
  static Value alignBias(OpBuilder &builder, Location loc, Value bias,
                         RankedTensorType result, int64_t outputs) {
    if (Value constant = reshapeConstant(
            builder, bias, channelDims(result.getRank(), 1, outputs)))
      return constant;
    SmallVector<int64_t> axes;
    for (int64_t axis = 2; axis < result.getRank(); ++axis)
      axes.push_back(axis - 1);
    return UnsqueezeOp::create(
        builder, loc,
        RankedTensorType::get(channelDims(result.getRank() - 1, 0, outputs),
                              typeOf(bias).getElementType()),
        bias, axes);
  }
};

/// True when a sum in groups takes the codes of the activation: groups of both
/// sides begin together, and a group has one scale.
static bool takesCodes(const CodedSum &coded) {
  DequantizeOp x = coded.x, w = coded.w;
  if (!x || !x.getFormat() || !x.getZeros().empty() || !hasNarrowCodes(x))
    return false;
  if (!isBlocked(x))
    return isUniformAlong(x, coded.sum.lhs.getSummedAxes());
  if (x.getFormat()->getAxis() != coded.sum.lhs.getProductAxis())
    return false;
  int64_t a = x.getFormat()->getBlockSize(), b = w.getFormat()->getBlockSize();
  return !isBlocked(w) || std::max(a, b) % std::min(a, b) == 0;
}

/// Groups, blocks, or floats on the left: scales become operands.
struct FormGroupedContraction : FormCodes {
  explicit FormGroupedContraction(MLIRContext *context)
      : FormCodes(context, /*benefit=*/1) {}

  LogicalResult form(CodedSum coded, PatternRewriter &rewriter) const override {
    auto &[op, sum, x, w] = coded;
    if (isPlannedFloat(op))
      return rewriter.notifyMatchFailure(op, "floats are asked for");
    if (!w || !w.getFormat() || !hasNarrowCodes(w))
      return rewriter.notifyMatchFailure(op, "the weight has no codes");
    if (sum.lhs.getType().getRank() < 2)
      return rewriter.notifyMatchFailure(op, "one row has no groups");
    // Channels of a depthwise weight are its products' only axis but the taps.
    int64_t axis =
        sum.isDepthwise() ? sum.rhs.getOutputAxis() : sum.rhs.getProductAxis();
    if (!isBlocked(w) && !w.getCodes().getDefiningOp<ConstantOp>())
      return rewriter.notifyMatchFailure(op, "codes of activations, no groups");
    if (isBlocked(w) ? w.getFormat()->getAxis() != axis
                     : !isUniformAlong(w, sum.rhs.getSummedAxes()))
      return rewriter.notifyMatchFailure(
          op, "scales do not belong to groups of products");
    bool keepsCodes = !isWeightOnly(op) && takesCodes(coded);
    rewriter.replaceOp(
        op, op.rebuild(rewriter, op->getResult(0).getType(),
                       keepsCodes ? x.getScaledTensors().front() : sum.lhs,
                       w.getScaledTensors().front(), coded.bias()));
    return success();
  }
};

/// A weight whose codes no contraction takes becomes what they stand for.
struct DecodeWeight : OpRewritePattern<DequantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DequantizeOp op,
                                PatternRewriter &rewriter) const override {
    if (llvm::none_of(op->getUsers(), isContractionOfCodes))
      return rewriter.notifyMatchFailure(op, "no contraction reads it");
    if (!isWeightExpression(op.getResult()))
      return rewriter.notifyMatchFailure(op, "it is computed");
    std::optional<HostTensor> reals = evaluateExpression(op.getResult());
    if (!reals)
      return rewriter.notifyMatchFailure(op, "it cannot be evaluated");
    Value decoded = createConstant(rewriter, op.getLoc(), *reals,
                                   typeOf(op.getResult()).getElementType());
    rewriter.replaceUsesWithIf(op.getResult(), decoded, [&](OpOperand &use) {
      return isContractionOfCodes(use.getOwner());
    });
    return success();
  }
};

/// A gather of a dequantized table gathers its codes and scales.
struct GatherCodes : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherOp op,
                                PatternRewriter &rewriter) const override {
    auto table = op.getX().getDefiningOp<DequantizeOp>();
    if (!table || op.getAxis() != 0)
      return rewriter.notifyMatchFailure(op,
                                         "not a gather of dequantized rows");
    if (typeOf(op.getX()).getRank() != 2)
      return rewriter.notifyMatchFailure(op, "not a table");
    FormatAttr format = table.getFormatAttr();
    if (format && format.isBlocked() && format.getAxis() != 1)
      return rewriter.notifyMatchFailure(op, "blocks hold several rows");
    // One row of scales belongs to every row of codes.
    auto isShared = [](Value from) { return typeOf(from).getDimSize(0) == 1; };
    for (Value from : llvm::concat<Value>(table.getScales(), table.getZeros()))
      if (isShared(from) && !from.getDefiningOp<ConstantOp>())
        return rewriter.notifyMatchFailure(op, "a shared scale is no constant");
    auto result = typeOf(op.getResult());
    auto gather = [&](Value from) -> Value {
      auto type = typeOf(from);
      SmallVector<int64_t> dims(result.getShape());
      dims.back() = type.getDimSize(1);
      return GatherOp::create(
          rewriter, op.getLoc(),
          RankedTensorType::get(dims, type.getElementType()), from,
          op.getIndices(), op.getAxis());
    };
    auto besideCodes = [&](Value from) {
      return isShared(from)
                 ? reshapeConstant(rewriter, from,
                                   channelDims(result.getRank(),
                                               result.getRank() - 1,
                                               typeOf(from).getDimSize(1)))
                 : gather(from);
    };
    SmallVector<Value> scales, zeros;
    for (Value scale : table.getScales())
      scales.push_back(besideCodes(scale));
    for (Value zero : table.getZeros())
      zeros.push_back(besideCodes(zero));
    if (format)
      format = FormatAttr::get(getContext(), format.getName(),
                               format.isBlocked() ? result.getRank() - 1 : -1,
                               format.getBlock(), format.getScale(),
                               format.getZero());
    Value codes = gather(table.getCodes());
    rewriter.replaceOpWithNewOp<DequantizeOp>(op, result, codes, scales, zeros,
                                              format);
    return success();
  }
};

struct FormQuantizedOps
    : qopt::impl::FormQuantizedOpsPassBase<FormQuantizedOps> {
  using FormQuantizedOpsPassBase::FormQuantizedOpsPassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FormIntegerSum, FormGroupedContraction, GatherCodes>(
        &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    RewritePatternSet leftOver(&getContext());
    leftOver.add<DecodeWeight>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(leftOver))))
      signalPassFailure();
  }
};
} // namespace
