//===- DynamicQuantization.cpp - Codes whose scale the data gives ---------===//
//
// Ops on the two ends of the range, then a quantization with computed
// parameters.
//
//===----------------------------------------------------------------------===//

#include "DynamicQuantization.h"
#include "TensorQuantization.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// The least or the largest element of `x`, or 0 if that is beyond.
static Value findEnd(NodeImporter &node, Value x, ReduceKind kind, Value zero) {
  SmallVector<int64_t> axes;
  llvm::append_range(axes, llvm::seq<int64_t>(0, getRank(x)));
  Type f32 = getElementType(x);
  Value end = node.make<ReduceOp>(
      f32, x,
      {node.attr("kind", ReduceKindAttr::get(f32.getContext(), kind)),
       node.attr("axes", axes), node.attr("keepdims", false)});
  if (!end)
    return {};
  return kind == ReduceKind::Min ? node.make<MinOp>(f32, {end, zero})
                                 : node.make<MaxOp>(f32, {end, zero});
}

std::optional<DynamicCodes>
qopt::importer::quantizeDynamically(NodeImporter &node, Value x) {
  OpBuilder &builder = node.getBuilder();
  if (failed(node.expectElementType(x, getElementType(x).isF32(),
                                    "a tensor of float")))
    return std::nullopt;
  auto number = [&](float value) {
    return makeFloats(builder, node.getLoc(), value, /*isScalar=*/true);
  };
  Type f32 = builder.getF32Type(), ui8 = builder.getIntegerType(8, false);
  Value none = number(0), most = number(255);
  Value high = findEnd(node, x, ReduceKind::Max, none);
  Value low = findEnd(node, x, ReduceKind::Min, none);
  if (!high || !low)
    return std::nullopt;
  Value range = node.make<SubOp>(f32, {high, low});
  Value step = range ? node.make<DivOp>(f32, {range, most}) : Value();
  Value isFlat =
      step ? node.make<EqualOp>(builder.getI1Type(), {step, none}) : Value();
  Value scale =
      isFlat ? node.make<WhereOp>(f32, {isFlat, number(1), step}) : Value();
  Value steps = scale ? node.make<DivOp>(f32, {low, scale}) : Value();
  Value real = steps ? node.make<SubOp>(f32, {none, steps}) : Value();
  real = real ? node.make<MaxOp>(f32, {real, none}) : Value();
  real = real ? node.make<MinOp>(f32, {real, most}) : Value();
  real = real ? node.make<RoundOp>(f32, real) : Value();
  Value zero = real ? node.make<CastOp>(ui8, real) : Value();
  if (!zero)
    return std::nullopt;
  Value codes = quantize(node, x, {scale, zero}, ui8);
  if (!codes)
    return std::nullopt;
  return DynamicCodes{codes, scale, zero};
}
