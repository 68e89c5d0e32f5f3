//===- ControlFlow.h - Branches and loops around imported ops ---*- C++ -*-===//
//
// A body is imported before the types that it carries are known: it is made in
// a block of its own, again where a type turned out to be less precise, and
// becomes the region of an scf op then.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_CONTROLFLOW_H
#define LIB_IMPORT_ONNX_CONTROLFLOW_H

#include "NodeImporter.h"

namespace qopt::importer {

//===----------------------------------------------------------------------===//
// Scalars of control flow
//===----------------------------------------------------------------------===//

mlir::Value makeScalarConstant(NodeImporter &node, int64_t value);
/// The scalar in a tensor of one element of known rank.
mlir::Value toScalar(NodeImporter &node, mlir::Value tensor);
/// A tensor of `rank` axes of size 1.
mlir::Value toTensor(NodeImporter &node, mlir::Value scalar, int64_t rank = 0);
/// The size of a dim, a scalar of 64 bits.
mlir::Value getDim(NodeImporter &node, mlir::Value x, int64_t axis);
/// A position counted from the end: ~i names what i does from the front.
mlir::Value countFromEnd(NodeImporter &node, mlir::Value position);

//===----------------------------------------------------------------------===//
// Values of more than one type
//===----------------------------------------------------------------------===//

/// The type of values of both types, dims that differ being unknown. Null, with
/// a failure about `what`, where there is none.
mlir::Type joinTypes(NodeImporter &node, mlir::Type a, mlir::Type b,
                     const llvm::Twine &what);
/// `value` as one of a type that `joinTypes` made of its own.
mlir::Value withType(NodeImporter &node, mlir::Value value, mlir::Type type);

//===----------------------------------------------------------------------===//
// Tensors that grow
//===----------------------------------------------------------------------===//

/// Rows that a loop collects along a new axis: none of them yet, and how one
/// more is added, in front of them or behind them.
struct Collection {
  mlir::Value none;
  int64_t axis;
  bool isInFront;
  /// `none` has the dims of rows, which are 0 otherwise where they are unknown.
  bool hasDims;
};

/// Of rows of type `row`.
Collection makeCollection(NodeImporter &node, mlir::RankedTensorType row,
                          int64_t axis, bool isInFront);
/// `rows` and one more.
mlir::Value addRow(NodeImporter &node, const Collection &collection,
                   mlir::Value rows, mlir::Value row);
/// `rows`, of which there are `size` along `axis`.
mlir::Value withSize(NodeImporter &node, mlir::Value rows, int64_t axis,
                     int64_t size);

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

using Values = llvm::SmallVector<mlir::Value>;

/// Makes the ops of one iteration at the builder's place: from the counter and
/// what is carried to what is carried on.
using LoopBody = llvm::function_ref<mlir::LogicalResult(
    mlir::Value counter, mlir::ValueRange carried, Values &next)>;
/// The same of one branch.
using BranchBody = llvm::function_ref<mlir::LogicalResult(Values &results)>;

/// Makes a body for what is found on the way; nothing of it is left. `carried`
/// get the types that they have in any iteration.
mlir::LogicalResult settleTypes(NodeImporter &node, Values &carried,
                                LoopBody body);

/// `carried` becomes what is left of it after `trips` iterations, whose counter
/// of 64 bits starts at 0. An iteration gives a row for each of `collections`
/// behind what it carries on; all rows come behind what is carried.
mlir::LogicalResult makeFor(NodeImporter &node, mlir::Value trips,
                            llvm::ArrayRef<Collection> collections,
                            Values &carried, LoopBody body);

/// As a loop without rows, as long as the first of `carried`, a boolean tensor,
/// is true, and at most `trips` times where there are `trips`.
mlir::LogicalResult makeWhile(NodeImporter &node, mlir::Value trips,
                              Values &carried, LoopBody body);

mlir::LogicalResult makeIf(NodeImporter &node, mlir::Value condition,
                           BranchBody thenBody, BranchBody elseBody,
                           Values &results);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_CONTROLFLOW_H
