//===- DimTracing.h - Where a dim comes from --------------------*- C++ -*-===//
//
// Two dynamic dims are known to be equal when both are one sum of axes of
// values: the keys of a decoder are those of the past and the new ones. Tracing
// follows ops backwards; where it stops, the value is its own source, which is
// always right.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_DIMTRACING_H
#define DIALECTS_QOPT_TRANSFORMS_DIMTRACING_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace qopt {

/// A multiple of a dim that nothing more is known of.
struct DimTerm {
  mlir::Value value;
  int64_t axis = 0;
  int64_t factor = 1;

  bool operator==(const DimTerm &other) const {
    return value == other.value && axis == other.axis && factor == other.factor;
  }
};

/// A number, or a sum of dims and a number.
struct DimSource {
  int64_t size = mlir::ShapedType::kDynamic;
  /// In one order, each dim once; empty for a number.
  llvm::SmallVector<DimTerm, 1> terms;
  /// Added to the terms.
  int64_t plus = 0;
  /// Where not 0: the dim, but at most this. A slice up to the dim has it, of a
  /// tensor that may end before.
  int64_t limit = 0;

  static DimSource ofNumber(int64_t size) { return {size, {}}; }
  static DimSource ofDim(mlir::Value value, int64_t axis) {
    return {mlir::ShapedType::kDynamic, {{value, axis}}};
  }

  bool isStatic() const { return !mlir::ShapedType::isDynamic(size); }
  bool operator==(const DimSource &other) const {
    return size == other.size && terms == other.terms && plus == other.plus &&
           limit == other.limit;
  }
};

/// Remembers what it found: use one for a question, not across rewrites.
class DimTracer {
public:
  /// The source of a dim of `tensor`.
  DimSource traceDim(mlir::Value tensor, int64_t axis);

  /// The source of an element of a 0-D or 1-D integer tensor, if the element is
  /// a constant, a dim, or a sum of them.
  std::optional<DimSource> traceElement(mlir::Value tensor, int64_t index);

  /// True if every run gives both tensors the same dims.
  bool haveSameShape(mlir::Value a, mlir::Value b);

  /// True if broadcasting `from` with `to` always gives the dims of `to`, but
  /// for so many `trailing` ones that are not looked at.
  bool broadcastsInto(mlir::Value from, mlir::Value to, int64_t trailing = 0);

private:
  DimSource traceThrough(mlir::OpResult result, int64_t axis);
  DimSource traceSlice(SliceOp op, int64_t axis);
  DimSource traceRange(RangeOp op);
  DimSource traceExpand(ExpandOp op, int64_t axis);
  DimSource traceReshape(ReshapeOp op, int64_t axis);
  DimSource traceRest(ReshapeOp op, int64_t axis);
  DimSource traceBroadcast(mlir::OpResult result, mlir::ValueRange operands,
                           int64_t axis);

  llvm::DenseMap<std::pair<mlir::Value, int64_t>, DimSource> known;
  unsigned depth = 0;
};

} // namespace qopt

#endif
