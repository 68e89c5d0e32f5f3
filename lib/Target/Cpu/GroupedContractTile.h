//===- GroupedContractTile.h - Tiles of sums of groups ----------*- C++ -*-===//
//
// A tile of f32 whose steps fall into groups. Each group is summed by itself, a
// chain of f32 or exactly in integers; its scales are applied once, when it is
// added to the result.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTTILE_H
#define QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTTILE_H

#include "ContractSchedule.h"

namespace qopt::cpu {

/// Marks an E8M0 scale that is NaN among exponents.
inline constexpr int32_t kNaNExponent = 1 << 16;

/// The type of the word of a scale.
mlir::Type scaleWordType(VectorBuilder &v, ScaleWord word);

/// x times the power of two of a word that is no factor, as scale2 with NaN for
/// NaN. Vectors.
mlir::Value scaleByPower(VectorBuilder &v, const Tier &tier, ScaleWord kind,
                         mlir::Value x, mlir::Value word);
/// `word` for a product with operands that are multiplied by 2^log2.
mlir::Value divideWord(VectorBuilder &v, ScaleWord kind, mlir::Value word,
                       int log2);

/// `sum` + t times the scales of a group (null: 1), by the group formula. All
/// are vectors.
mlir::Value addGroup(VectorBuilder &v, const Tier &tier,
                     const GroupShape &groups, mlir::Value sum, mlir::Value t,
                     mlir::Value lhsScale, mlir::Value rhsScale);

void emitGroupedTile(VectorBuilder &v, const Tier &tier, DotKind kind,
                     const GroupShape &groups, TileSize size,
                     const ContractSource::Rows &rows,
                     const ContractSource::Lanes &lanes, mlir::Value sums,
                     int64_t sumsStride);

} // namespace qopt::cpu

#endif
