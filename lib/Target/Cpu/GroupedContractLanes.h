//===- GroupedContractLanes.h - Matrices of integers as lanes ---*- C++ -*-===//
//
// The lane operand of a product of groups of integers: words of four signed
// bytes. Constants of 8 bits are read where the artefact has them, narrower
// ones stay narrow until a part writes what it uses into its thread's scratch.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTLANES_H
#define QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTLANES_H

#include "GroupedContractIntegers.h"

namespace qopt::cpu {

class IntegerLanes {
public:
  /// Steps are written four at a time.
  static constexpr int64_t kStepsInChunk = ContractSource::kUnpackedSteps;
  static constexpr int64_t kDepthInChunk = kStepsInChunk * kElementsInWord;

  IntegerLanes() = default;
  /// Host: matrices [depth][columns]. `isOneMatrix` says that there is but one.
  IntegerLanes(CpuProgram &program, const GroupedOperand &operand,
               mlir::Value depth, mlir::Value columns, const GroupShape &groups,
               bool isOneMatrix);

  void capture(CaptureList &captures);
  /// True when tiles read the words of a panel at `panelAddress`.
  bool isReady() const { return form == Form::Words; }
  mlir::Value panelAddress(VectorBuilder &v, mlir::Value panel) const;
  /// True when the words of a panel cost no more than `unpack`.
  bool arePlanes() const { return form == Form::Planes; }
  /// The words of a chunk of `panel`; `zero` is null or that of its group
  /// (bytes).
  llvm::SmallVector<mlir::Value> unpack(VectorBuilder &v, const Tier &tier,
                                        mlir::Value panel, mlir::Value chunk,
                                        mlir::Value zero = {}) const;
  /// Words from panel to panel.
  mlir::Value panelStride(VectorBuilder &v) const;

  /// Kernel: what the sums of group `group` start from in the 16 columns of
  /// `panel` of the matrix whose first row is `firstRow`. Where the words are
  /// not ready, writes them to `target`, `laneStep` apart; `zero` is null or
  /// that of the group (bytes).
  mlir::Value writeGroup(VectorBuilder &v, const Tier &tier,
                         mlir::Value firstRow, mlir::Value panel,
                         mlir::Value group, mlir::Value zero,
                         mlir::Value target, mlir::Value laneStep) const;

private:
  enum class Form {
    /// Rows of a matrix, a byte a code.
    Matrix,
    /// Planes of bits, see packCodePlanes.
    Planes,
    /// Words, and a table of the sums of groups.
    Words
  };
  /// The codes of a step of the chunk at byte `chunk`.
  mlir::Value planeCodes(VectorBuilder &v, mlir::Value chunk,
                         int64_t step) const;
  /// Those from row `firstDepth` of a matrix on.
  mlir::Value matrixCodes(VectorBuilder &v, mlir::Value firstRow,
                          mlir::Value panel, mlir::Value firstDepth) const;
  mlir::Value wordsOf(VectorBuilder &v, const Tier &tier, mlir::Value codes,
                      mlir::Value zero) const;

  GroupedOperand operand;
  Form form = Form::Matrix;
  int64_t block = 0, largestSigned = 128;
  mlir::Value pointer, sums;
  mlir::Value depth, columns, chunks, groupCount;
  mlir::Type sumElement;
};

} // namespace qopt::cpu

#endif
