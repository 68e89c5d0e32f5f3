//===- GroupedContractFloats.h - Narrow codes as lanes of f32 ---*- C++ -*-===//
//
// The lane operand of a product of groups of floats: constant codes of 2 or 4
// bits, as many of a column to a word as fit. Few rows decode them where they
// are multiplied, many read what a part wrote into its thread's scratch.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTFLOATS_H
#define QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTFLOATS_H

#include "GroupedContractOperand.h"

namespace qopt::cpu {

class FloatLanes {
public:
  FloatLanes() = default;
  /// Host: a constant matrix [depth][columns] whose groups end with words.
  FloatLanes(CpuProgram &program, const GroupedOperand &operand, int64_t depth,
             int64_t columns);
  /// True for an operand that this can hold.
  static bool canHold(const GroupedOperand &operand, int64_t block);

  bool empty() const { return !pointer; }
  void capture(CaptureList &captures);

  int64_t stepsInWord() const { return 32 / operand.bits(); }
  /// Kernel: the words of 16 columns for the steps from `step` on, a multiple
  /// of stepsInWord().
  mlir::Value load(VectorBuilder &v, mlir::Value panel, mlir::Value step) const;
  /// The f32 of step `index` of a word; `zero` is that of its group or null.
  mlir::Value decode(VectorBuilder &v, const Tier &tier, mlir::Value words,
                     mlir::Value index, mlir::Value zero) const;

private:
  GroupedOperand operand;
  mlir::Value pointer, wordRows;
};

} // namespace qopt::cpu

#endif
