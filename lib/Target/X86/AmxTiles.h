//===- AmxTiles.h - Sums of products of codes in AMX tiles ------*- C++ -*-===//
//
// The packing is that of VNNI: 16 words of a row are the row of a tile, a step
// of 16 lanes is the row of another. What is left of K behind the last 16 words
// goes through VNNI, so no operand is padded for tiles.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_AMXTILES_H
#define QOPT_LIB_TARGET_X86_AMXTILES_H

#include "lib/Target/Cpu/Tier.h"

namespace qopt::x86 {
using namespace qopt::cpu;

class AmxTiles final : public TileUnit {
public:
  /// `tier` multiplies what is left of K.
  explicit AmxTiles(const Tier &tier);

  void emit(VectorBuilder &v, DotKind kind, TileSize size,
            const TileOperands &operands, mlir::Value sums,
            mlir::Value sumsStride) const override;

private:
  const Tier &tier;
};

} // namespace qopt::x86

#endif
