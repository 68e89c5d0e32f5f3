//===- Dot.h - One step of a tile -------------------------------*- C++ -*-===//
//
// Multiplies a word of a row with 16 words of lanes and adds the products: one
// k of f32, or four k of 8-bit codes of which one side is unsigned.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_DOT_H
#define QOPT_LIB_TARGET_CPU_DOT_H

#include "VectorBuilder.h"
#include <memory>

namespace qopt::cpu {
class Tier;

/// What is multiplied. Of codes one operand is unsigned, the other signed.
enum class DotKind { Float, UnsignedRows, UnsignedLanes };

class Dot {
public:
  /// What a word becomes before it is multiplied: itself, or parts of it.
  using Operand = llvm::SmallVector<mlir::Value, 4>;

  Dot(VectorBuilder &v, DotKind kind) : v(v), kind(kind) {}
  virtual ~Dot() = default;

  /// Signed codes are known to be from -`largestSigned` to `largestSigned`.
  static std::unique_ptr<Dot> make(VectorBuilder &v, const Tier &tier,
                                   DotKind kind, int64_t largestSigned = 128);

  mlir::Type wordType() const {
    return kind == DotKind::Float ? mlir::Type(v.b.getF32Type())
                                  : mlir::Type(v.b.getI32Type());
  }

  virtual Operand lanes(mlir::Value words) = 0;
  virtual Operand row(mlir::Value word) = 0;
  virtual mlir::Value add(const Operand &row, const Operand &lanes,
                          mlir::Value sum) = 0;

protected:
  VectorBuilder &v;
  DotKind kind;
};

} // namespace qopt::cpu

#endif
