//===- ContractAmx.h - Sums of products of codes in AMX tiles ---*- C++ -*-===//
//
// The packing is that of VNNI: 16 words of a row are the row of a tile, a step
// of 16 lanes is the row of another. What is left of K behind the last 16 words
// goes through VNNI, so no operand is padded for tiles.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_CONTRACTAMX_H
#define QOPT_LIB_TARGET_X86_CONTRACTAMX_H

#include "ContractTile.h"

namespace qopt::x86 {

/// Rows and words of K of an AMX tile.
inline constexpr int64_t kAmxRows = 16, kAmxWords = 16;

/// Two by two tiles of sums, two of each operand: all eight registers.
inline constexpr TileSize kLargestAmxTile = {2 * kAmxRows, 2};

/// As `emitTile`, for codes and a multiple of `kAmxRows` rows. The words of a
/// row lie one after the other.
void emitAmxTile(VectorBuilder &v, const Tier &tier, DotKind kind,
                 TileSize size, const TileOperands &operands, mlir::Value sums,
                 mlir::Value sumsStride);

} // namespace qopt::x86

#endif
