//===- DimTracing.h - Where a dim comes from --------------------*- C++ -*-===//
//
// Two dynamic dims are known to be equal when both come from one axis of one
// value. Tracing follows ops backwards; where it stops, the value is its own
// source, which is always right.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_DIMTRACING_H
#define DIALECTS_QOPT_TRANSFORMS_DIMTRACING_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace qopt {

/// A number, or the axis of a value that nothing more is known of.
struct DimSource {
  int64_t size = mlir::ShapedType::kDynamic;
  mlir::Value value;
  int64_t axis = 0;
  /// Where not 0: the dim, but at most this. A slice up to the dim has it, of a
  /// tensor that may end before.
  int64_t limit = 0;

  bool isStatic() const { return !mlir::ShapedType::isDynamic(size); }
  bool operator==(const DimSource &other) const {
    return size == other.size && value == other.value && axis == other.axis &&
           limit == other.limit;
  }
};

/// Remembers what it found: use one for a question, not across rewrites.
class DimTracer {
public:
  /// The source of a dim of `tensor`.
  DimSource traceDim(mlir::Value tensor, int64_t axis);

  /// The source of an element of a 0-D or 1-D integer tensor, if the element is
  /// a constant or a dim.
  std::optional<DimSource> traceElement(mlir::Value tensor, int64_t index);

  /// True if every run gives both tensors the same dims.
  bool haveSameShape(mlir::Value a, mlir::Value b);

  /// True if broadcasting `from` with `to` always gives the dims of `to`.
  bool broadcastsInto(mlir::Value from, mlir::Value to);

private:
  DimSource traceThrough(mlir::OpResult result, int64_t axis);
  DimSource traceSlice(SliceOp op, int64_t axis);
  DimSource traceBroadcast(mlir::OpResult result, mlir::ValueRange operands,
                           int64_t axis);

  llvm::DenseMap<std::pair<mlir::Value, int64_t>, DimSource> known;
  unsigned depth = 0;
};

} // namespace qopt

#endif
