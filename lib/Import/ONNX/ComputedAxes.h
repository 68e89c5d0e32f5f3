//===- ComputedAxes.h - Axes that only a run knows --------------*- C++ -*-===//
//
// Our ops have their axes as attributes. Where a model computes them, the same
// result is made from a list of what each axis is: of a rank that is known.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_COMPUTEDAXES_H
#define LIB_IMPORT_ONNX_COMPUTEDAXES_H

#include "Composer.h"

namespace qopt::importer {

/// Axes as int64, counted from the front.
mlir::Value countAxes(Composer &c, mlir::Value axes, int64_t rank);

/// A number for each of `rank` axes: `values` for those of the list, `absent`
/// for others. An axis out of range ends the run.
mlir::Value spreadOverAxes(Composer &c, mlir::Value axes, mlir::Value values,
                           int64_t absent, int64_t rank);

/// True for each axis of the list.
mlir::Value markAxes(Composer &c, mlir::Value axes, int64_t rank);

/// The axes that `mark` has not, ascending, then those that it has.
mlir::Value orderAxes(Composer &c, mlir::Value mark);

/// `x` with its axes in a computed order.
mlir::Value permute(Composer &c, mlir::Value x, mlir::Value order);

/// Elements of an axis from `start` to `end` by `step`, lists of one number, as
/// ONNX counts them.
mlir::Value sliceByPositions(Composer &c, mlir::Value x, int64_t axis,
                             mlir::Value start, mlir::Value end,
                             mlir::Value step);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_COMPUTEDAXES_H
