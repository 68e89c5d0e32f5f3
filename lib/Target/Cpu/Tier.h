//===- Tier.h - What kernels of products know of a machine ------*- C++ -*-===//
//
// The kernels of this folder are written over it: which tiles of sums the
// registers hold, and what the vectors of 16 lanes do not say.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_TIER_H
#define QOPT_LIB_TARGET_CPU_TIER_H

#include "Dot.h"

namespace qopt::cpu {

struct TileSize {
  int64_t rows, vectors;
};

struct TileOperands {
  /// First row, first step.
  mlir::Value rows;
  mlir::Value rowStride, rowStep;
  /// First vector, first step.
  mlir::Value lanes;
  mlir::Value vectorStride, laneStep;
  mlir::Value steps;
};

/// What multiplies whole tiles of codes, where a machine has such a unit. The
/// packing is that of vectors: `words` of a row are the row of a tile.
class TileUnit {
public:
  /// Of `rows` rows by 16 lanes.
  TileUnit(int64_t rows, int64_t words, TileSize largest)
      : rows(rows), words(words), largest(largest) {}
  virtual ~TileUnit() = default;

  /// As `emitTile`, for codes and a multiple of `rows` rows. The words of a row
  /// lie one after the other.
  virtual void emit(VectorBuilder &v, DotKind kind, TileSize size,
                    const TileOperands &operands, mlir::Value sums,
                    mlir::Value sumsStride) const = 0;

  int64_t rows, words;
  /// All that its registers hold.
  TileSize largest;
};

class Tier {
public:
  /// The name of the machine; the entry is `main.<name>`.
  explicit Tier(llvm::StringRef name) : name(name) {}
  virtual ~Tier() = default;

  llvm::StringRef getName() const { return name; }

  /// The largest tile whose sums and operands fit the registers.
  virtual TileSize getLargestTile(DotKind kind) const = 0;
  /// The same where half of the registers hold the sums of groups.
  virtual TileSize getLargestGroupedTile() const = 0;

  /// How codes are multiplied; see Dot::make.
  virtual std::unique_ptr<Dot> makeCodeDot(VectorBuilder &v, DotKind kind,
                                           int64_t largestSigned) const = 0;
  /// Null where there is none.
  virtual const TileUnit *getTileUnit() const { return nullptr; }

  /// The byte of `table`, of 16, that each index below 16 stands for.
  virtual mlir::Value lookUpBytes(VectorBuilder &v,
                                  llvm::ArrayRef<int8_t> table,
                                  mlir::Value indices) const = 0;
  /// The float of `table`, of 16, at the low four bits of each word; null where
  /// no instruction does that.
  virtual mlir::Value lookUpFloats(VectorBuilder &v,
                                   llvm::ArrayRef<float> table,
                                   mlir::Value words) const {
    return {};
  }

  /// x * 2^n with one rounding, where `n` is an integer as f32, or NaN.
  virtual bool scalesByFloats() const { return false; }
  virtual mlir::Value scaleByFloat(VectorBuilder &v, mlir::Value x,
                                   mlir::Value n) const {
    llvm_unreachable("a tier that does not scale by floats");
  }

private:
  llvm::StringRef name;
};

} // namespace qopt::cpu

#endif
