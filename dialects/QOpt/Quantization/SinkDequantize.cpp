//===- SinkDequantize.cpp - Move codes instead of floats ------------------===//
//
// Exporters write the weight of a linear layer behind a Transpose. A product
// finds its codes where a dequantize stands right in front of it.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "dialects/QOpt/Transforms/Constants.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#define GEN_PASS_DEF_SINKDEQUANTIZEPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Movements that one question looks at; it is asked for each of them.
static constexpr size_t kMaxMovements = 16;

/// True where movements alone lie between `value` and a product.
static bool reachesProduct(Value value) {
  SmallVector<Value> pending{value};
  llvm::SmallPtrSet<Operation *, kMaxMovements> seen;
  while (!pending.empty() && seen.size() < kMaxMovements)
    for (Operation *user : pending.pop_back_val().getUsers()) {
      if (isContractionOfCodes(user))
        return true;
      if (isMovement(user) && seen.insert(user).second)
        pending.push_back(user->getResult(0));
    }
  return false;
}

/// The axis of the result of `op` that is `axis` of its operand, whole.
static std::optional<int64_t> findAxis(Operation *op, int64_t axis) {
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    ArrayRef<int64_t> perm = transpose.getPerm();
    return llvm::find(perm, axis) - perm.begin();
  }
  RankedTensorType from = typeOf(op->getOperand(0));
  RankedTensorType to = typeOf(op->getResult(0));
  if (!from.hasStaticShape() || !to.hasStaticShape())
    return std::nullopt;
  int64_t before = 1, passed = 1;
  for (int64_t dim : from.getShape().take_front(axis))
    before *= dim;
  for (auto [i, dim] : llvm::enumerate(to.getShape())) {
    if (passed == before && dim == from.getDimSize(axis))
      return i;
    passed *= dim;
  }
  return std::nullopt;
}

/// Dims of a scale or zero beside the codes that `op` has moved; nothing where
/// none would belong to them.
static std::optional<SmallVector<int64_t>> findDims(Operation *op,
                                                    Value parameter) {
  SmallVector<int64_t> dims(typeOf(op->getResult(0)).getRank(), 1);
  for (auto [axis, dim] : llvm::enumerate(typeOf(parameter).getShape())) {
    if (dim == 1)
      continue;
    std::optional<int64_t> moved = findAxis(op, axis);
    if (!moved || (ShapedType::isDynamic(dim) && !isa<TransposeOp>(op)))
      return std::nullopt;
    dims[*moved] = dim;
  }
  return dims;
}

/// A scale or zero that goes with the codes.
static Value moveParameter(OpBuilder &builder, Operation *op, Value parameter,
                           ArrayRef<int64_t> dims) {
  bool isOrdered =
      llvm::count_if(dims, [](int64_t dim) { return dim != 1; }) <= 1;
  if (isOrdered && dims == typeOf(parameter).getShape())
    return parameter;
  if (isOrdered)
    if (Value constant = reshapeConstant(builder, parameter, dims))
      return constant;
  auto type = RankedTensorType::get(dims, typeOf(parameter).getElementType());
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return TransposeOp::create(builder, parameter.getLoc(), type, parameter,
                               transpose.getPerm());
  return ReshapeOp::create(builder, parameter.getLoc(), type, parameter,
                           makeIntegers(builder, parameter.getLoc(), dims),
                           /*allow_zero=*/false);
}

namespace {
struct SinkBelowMovement : RewritePattern {
  SinkBelowMovement(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!isMovement(op))
      return failure();
    auto dequantize = op->getOperand(0).getDefiningOp<DequantizeOp>();
    if (!dequantize || !dequantize.getFormat())
      return rewriter.notifyMatchFailure(op, "moves no dequantized codes");
    if (!reachesProduct(op->getResult(0)))
      return rewriter.notifyMatchFailure(op, "no product reads it");
    Value codes = dequantize.getCodes();
    if (typeOf(codes).getElementTypeBitWidth() < 8 &&
        !isWeightExpression(codes))
      return rewriter.notifyMatchFailure(op, "computed codes share bytes");
    FormatAttr format = *dequantize.getFormat();
    std::optional<int64_t> axis = format.getAxis();
    if (*axis >= 0)
      axis = findAxis(op, *axis);
    if (!axis)
      return rewriter.notifyMatchFailure(op, "takes the format's axis apart");
    SmallVector<SmallVector<int64_t>> dims;
    for (Value parameter : dequantize->getOperands().drop_front()) {
      auto own = findDims(op, parameter);
      if (!own)
        return rewriter.notifyMatchFailure(op, "takes a scale's axis apart");
      dims.push_back(std::move(*own));
    }
    Operation *moved = rewriter.clone(*op);
    rewriter.modifyOpInPlace(moved, [&] {
      moved->setOperand(0, codes);
      moved->getResult(0).setType(
          typeOf(op->getResult(0)).clone(typeOf(codes).getElementType()));
      setStatistics(moved->getResult(0), std::nullopt);
    });
    SmallVector<Value> parameters;
    for (auto [parameter, own] :
         llvm::zip_equal(dequantize->getOperands().drop_front(), dims))
      parameters.push_back(moveParameter(rewriter, op, parameter, own));
    ArrayRef<Value> scales =
        ArrayRef(parameters).take_front(dequantize.getScales().size());
    rewriter.replaceOpWithNewOp<DequantizeOp>(
        op, op->getResult(0).getType(), moved->getResult(0), scales,
        ArrayRef(parameters).drop_front(scales.size()),
        FormatAttr::get(getContext(), format.getName(), *axis,
                        format.getBlock(), format.getScale(),
                        format.getZero()));
    return success();
  }
};

struct SinkDequantize : qopt::impl::SinkDequantizePassBase<SinkDequantize> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SinkBelowMovement>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
