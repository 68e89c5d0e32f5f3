//===- FoldShapes.cpp - Shape arithmetic without running it ---------------===//
//
// Exporters compute a reshape's target from dims of other tensors. Where those
// are dims of its own input the target is a constant.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/FoldShapes.h"
#include "dialects/QOpt/Transforms/DimTracing.h"

using namespace mlir;
using namespace qopt;

/// Longest shape tensor that is followed.
static constexpr int64_t kMaxElements = 64;

std::optional<SmallVector<int64_t>> qopt::getStaticElements(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getRank() > 1 || !type.hasStaticShape() ||
      type.getNumElements() > kMaxElements ||
      !(type.getElementType().isInteger(64) ||
        type.getElementType().isInteger(32)))
    return std::nullopt;
  DimTracer tracer;
  SmallVector<int64_t> elements;
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
    std::optional<DimSource> element = tracer.traceElement(tensor, i);
    if (!element || !element->isStatic())
      return std::nullopt;
    elements.push_back(element->size);
  }
  return elements;
}

std::optional<SmallVector<int64_t>> qopt::getStaticTarget(ReshapeOp op) {
  auto type = cast<RankedTensorType>(op.getShape().getType());
  if (op.getAllowZero() || op.getShape().getDefiningOp<ConstantOp>() ||
      !type.hasStaticShape() || type.getNumElements() > kMaxElements)
    return std::nullopt;
  int64_t inputRank = cast<RankedTensorType>(op.getX().getType()).getRank();
  DimTracer tracer;
  SmallVector<int64_t> target;
  bool hasRest = false;
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
    std::optional<DimSource> element = tracer.traceElement(op.getShape(), i);
    if (element && element->isStatic() && element->size > 0) {
      target.push_back(element->size);
      continue;
    }
    bool isCopy =
        element && i < inputRank &&
        (element->size == 0 || *element == tracer.traceDim(op.getX(), i));
    if (!isCopy && std::exchange(hasRest, true))
      return std::nullopt;
    target.push_back(isCopy ? 0 : -1);
  }
  return target;
}
