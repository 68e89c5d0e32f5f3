//===- Tier.cpp - The tiers of x86-64 as kernels see them -----------------===//
//
// One row for each machine.
//
//===----------------------------------------------------------------------===//

#include "Tier.h"
#include "AmxTiles.h"
#include "CodeDot.h"
#include "Intrinsics.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <climits>

using namespace mlir;
using namespace qopt::x86;

/// The bytes of `table`, over and over, in a vector of `width`.
static Value repeat(VectorBuilder &v, ArrayRef<int8_t> table, int64_t width) {
  SmallVector<int8_t> bytes;
  for (int64_t i = 0; i < width; i += table.size())
    llvm::append_range(bytes, table);
  auto type = VectorType::get({width}, v.b.getI8Type());
  return arith::ConstantOp::create(
      v.b, v.loc, DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
}

namespace {
/// Vectors of 256 bits, 16 registers.
class Avx2Tier final : public Tier {
public:
  using Tier::Tier;

  TileSize getLargestTile(DotKind kind) const override {
    return kind == DotKind::Float ? TileSize{6, 1} : TileSize{4, 1};
  }
  TileSize getLargestGroupedTile() const override { return {4, 1}; }

  std::unique_ptr<Dot> makeCodeDot(VectorBuilder &v, DotKind kind,
                                   int64_t largestSigned) const override {
    bool fitsPairs = 2 * UINT8_MAX * largestSigned <= INT16_MAX;
    return std::make_unique<CodeDot>(
        v, kind, fitsPairs ? CodeForm::Pairs : CodeForm::SplitPairs);
  }

  Value lookUpBytes(VectorBuilder &v, ArrayRef<int8_t> table,
                    Value indices) const override {
    int64_t lanes = cast<VectorType>(indices.getType()).getDimSize(0);
    int64_t width = std::min<int64_t>(lanes, 32);
    StringRef name = width == 32 ? "avx2.pshuf.b" : "ssse3.pshuf.b.128";
    Value tables = repeat(v, table, width);
    if (width == lanes)
      return intrinsic(v, name, tables.getType(), {tables, indices});
    assert(2 * width == lanes && "vectors have at most 64 bytes");
    Value halves[2];
    for (int64_t i = 0; i < 2; ++i)
      halves[i] =
          intrinsic(v, name, tables.getType(),
                    {tables, v.extractStrided(indices, i * width, width)});
    return vector::ShuffleOp::create(
        v.b, v.loc, halves[0], halves[1],
        llvm::to_vector(llvm::seq<int64_t>(0, lanes)));
  }
};

/// Vectors of 512 bits, 32 registers, and VNNI.
class Avx512Tier : public Tier {
public:
  using Tier::Tier;

  TileSize getLargestTile(DotKind) const override { return {8, 3}; }
  TileSize getLargestGroupedTile() const override { return {4, 3}; }

  std::unique_ptr<Dot> makeCodeDot(VectorBuilder &v, DotKind kind,
                                   int64_t) const override {
    return std::make_unique<CodeDot>(v, kind, CodeForm::Words);
  }

  Value lookUpBytes(VectorBuilder &v, ArrayRef<int8_t> table,
                    Value indices) const override {
    int64_t width = cast<VectorType>(indices.getType()).getDimSize(0);
    StringRef name = width == 64   ? "avx512.pshuf.b.512"
                     : width == 32 ? "avx2.pshuf.b"
                                   : "ssse3.pshuf.b.128";
    Value tables = repeat(v, table, width);
    return intrinsic(v, name, tables.getType(), {tables, indices});
  }

  Value lookUpFloats(VectorBuilder &v, ArrayRef<float> table,
                     Value words) const override {
    auto type = VectorType::get({kLanes}, v.b.getF32Type());
    Value floats = arith::ConstantOp::create(
        v.b, v.loc, DenseElementsAttr::get(type, table));
    return intrinsic(v, "avx512.permvar.sf.512", type, {floats, words});
  }

  bool scalesByFloats() const override { return true; }
  Value scaleByFloat(VectorBuilder &v, Value x, Value n) const override {
    Value all =
        arith::ConstantOp::create(v.b, v.loc, v.b.getI16IntegerAttr(-1));
    // As the control register says.
    Value rounding = v.i32(4);
    return intrinsic(v, "avx512.mask.scalef.ps.512", x.getType(),
                     {x, n, x, all, rounding});
  }
};

/// The same with tiles of codes.
class AmxTier final : public Avx512Tier {
public:
  using Avx512Tier::Avx512Tier;

  const TileUnit *getTileUnit() const override { return &tiles; }

private:
  AmxTiles tiles{*this};
};
} // namespace

llvm::ArrayRef<TierRow> qopt::x86::getTiers() {
  static const Avx2Tier v3("x86-64-v3");
  static const Avx512Tier v4("x86-64-v4");
  static const AmxTier amx("amx");
  static const TierRow table[] = {
      {"x86-64-v3", {false, false}, &v3},
      {"x86-64-v4", {true, false}, &v4},
      {"amx", {true, true}, &amx},
  };
  return table;
}

const TierRow *qopt::x86::findTier(llvm::StringRef name) {
  const TierRow *found = llvm::find_if(
      getTiers(), [&](const TierRow &row) { return row.name == name; });
  return found == getTiers().end() ? nullptr : found;
}
