//===- QOptDialect.h - The qopt dialect, attributes and types ---*- C++ -*-===//
//
// Include QOptOps.h for the ops.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTDIALECT_H
#define DIALECTS_QOPT_IR_QOPTDIALECT_H

#include "dialects/QOpt/IR/QOptEnums.h"
#include "dialects/QOpt/IR/WeightStore.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"

#include "dialects/QOpt/IR/QOptDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/QOpt/IR/QOptAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/QOpt/IR/QOptTypes.h.inc"

namespace qopt {

/// Names of the discardable attributes that the phases use.
inline constexpr llvm::StringLiteral kRequestAttrName = "qopt.request";
inline constexpr llvm::StringLiteral kStatisticsAttrName = "qopt.stats";
inline constexpr llvm::StringLiteral kMomentsAttrName = "qopt.moments";
inline constexpr llvm::StringLiteral kNodesAttrName = "qopt.nodes";
inline constexpr llvm::StringLiteral kNameAttrName = "qopt.name";
inline constexpr llvm::StringLiteral kDimsAttrName = "qopt.dims";

/// An op whose result element depends on one element of each operand, under
/// numpy broadcasting.
template <typename ConcreteType>
class ElementwiseTrait
    : public mlir::OpTrait::TraitBase<ConcreteType, ElementwiseTrait> {};

/// Bits of an element as ONNX packs it (i1 and index types: 8 and 64).
unsigned getPackedBitWidth(mlir::Type elementType);

/// Ids of the ONNX nodes that a location carries, ascending and unique.
llvm::SmallVector<int64_t> getNodeIds(mlir::Location loc);

/// `loc(fused<#qopt.node<id>>["name"])`.
mlir::Location getNodeLocation(mlir::MLIRContext *context, int64_t id,
                               llvm::StringRef name);

} // namespace qopt

#endif
