//===- CodeDot.h - Products of codes on x86-64 ------------------*- C++ -*-===//
//
// What the machine has between bytes and sums of 32 bits.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_CODEDOT_H
#define QOPT_LIB_TARGET_X86_CODEDOT_H

#include "lib/Target/Cpu/Dot.h"

namespace qopt::x86 {
using namespace qopt::cpu;

/// How the machine multiplies.
enum class CodeForm {
  /// vpdpbusd on words.
  Words,
  /// vpmaddubsw, where no pair of products leaves 16 bits.
  Pairs,
  /// vpmaddwd on even and odd bytes.
  SplitPairs
};

class CodeDot final : public Dot {
public:
  CodeDot(VectorBuilder &v, DotKind kind, CodeForm form)
      : Dot(v, kind), form(form) {}

  Operand lanes(mlir::Value words) override;
  Operand row(mlir::Value word) override;
  mlir::Value add(const Operand &row, const Operand &lanes,
                  mlir::Value sum) override;

private:
  mlir::Value addHalf(llvm::ArrayRef<mlir::Value> row,
                      llvm::ArrayRef<mlir::Value> lanes, mlir::Value sum);
  mlir::Value bitcast(mlir::Value x, mlir::Type element, int64_t lanes);
  mlir::Value dotBytes(mlir::Value sum, mlir::Value unsignedWords,
                       mlir::Value signedWords);
  mlir::Value multiplyBytes(mlir::Value unsignedWords, mlir::Value signedWords);
  mlir::Value multiplyPairs(mlir::Value x, mlir::Value y);
  void appendPairs(mlir::Value words, bool isSigned, Operand &result);

  CodeForm form;
};

} // namespace qopt::x86

#endif
