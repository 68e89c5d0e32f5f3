//===- ContractDot.h - One step of a tile -----------------------*- C++ -*-===//
//
// Multiplies a word of a row with 16 words of lanes and adds the products: one
// k of f32, or four k of 8-bit codes of which one side is unsigned.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_CONTRACTDOT_H
#define QOPT_LIB_TARGET_X86_CONTRACTDOT_H

#include "ContractTile.h"

namespace qopt::x86 {

class Dot {
public:
  /// What a word becomes before it is multiplied: itself, in halves of 8 lanes,
  /// or in such halves its even and its odd bytes.
  using Operand = llvm::SmallVector<mlir::Value, 4>;

  /// Signed codes are known to be from -`largestSigned` to `largestSigned`.
  Dot(VectorBuilder &v, const Tier &tier, DotKind kind,
      int64_t largestSigned = 128);

  mlir::Type wordType() const;
  Operand lanes(mlir::Value words);
  Operand row(mlir::Value word);
  mlir::Value add(const Operand &row, const Operand &lanes, mlir::Value sum);

private:
  /// How the machine multiplies.
  enum class Form { Float, Words, Pairs, SplitPairs };
  mlir::Value addHalf(llvm::ArrayRef<mlir::Value> row,
                      llvm::ArrayRef<mlir::Value> lanes, mlir::Value sum);
  mlir::Value bitcast(mlir::Value x, mlir::Type element, int64_t lanes);
  mlir::Value dotBytes(mlir::Value sum, mlir::Value unsignedWords,
                       mlir::Value signedWords);
  mlir::Value multiplyBytes(mlir::Value unsignedWords, mlir::Value signedWords);
  mlir::Value multiplyPairs(mlir::Value x, mlir::Value y);
  void appendPairs(mlir::Value words, bool isSigned, Operand &result);

  VectorBuilder &v;
  DotKind kind;
  Form form;
};

} // namespace qopt::x86

#endif
