//===- PackingLanes.h - The lane operand, packed by its part ----*- C++ -*-===//
//
// Copies what a part needs of a matrix in memory into its thread's scratch:
// [steps][vectors][16] words.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_PACKINGLANES_H
#define QOPT_LIB_TARGET_CPU_PACKINGLANES_H

#include "ContractTile.h"

namespace qopt::cpu {

/// A run of rows of a matrix: `depth` of them, `stride` elements apart.
struct LaneRun {
  mlir::Value source;
  /// Element of the first row that lane 0 takes.
  mlir::Value offset;
  mlir::Value stride, depth;
  /// Elements from lane to lane; null for 1.
  mlir::Value laneStride;
  /// With a lane stride: the lanes that exist.
  mlir::Value laneCount;
  /// From a lane on the elements may lie elsewhere: `before` are the lanes in
  /// front of it, `offset` is where lane 0 would be.
  struct Piece {
    mlir::Value offset, before;
  };
  llvm::SmallVector<Piece> pieces;
};

class LanePacker {
public:
  /// `element` says what lies in memory.
  LanePacker(VectorBuilder &v, const Tier &tier, DotKind kind,
             mlir::Type element, bool wantsSums)
      : v(v), tier(tier), kind(kind), element(element),
        flips(kind != DotKind::Float &&
              element.isUnsignedInteger() != (kind == DotKind::UnsignedLanes)),
        wantsSums(wantsSums && kind != DotKind::Float) {}

  /// Copies a run to `target`, `laneStep` words from step to step, beginning
  /// with step `step`. Returns `sum` with the codes of each lane added.
  mlir::Value pack(const LaneRun &run, mlir::Value target, mlir::Value step,
                   mlir::Value laneStep, mlir::Value sum);

  /// Steps that `depth` rows make.
  mlir::Value stepsOf(mlir::Value depth);

private:
  mlir::Value loadRow(const LaneRun &run, mlir::Value row, mlir::Type type);
  mlir::Value quad(const LaneRun &run, mlir::Value first, bool isPartial);

  VectorBuilder &v;
  const Tier &tier;
  DotKind kind;
  mlir::Type element;
  bool flips, wantsSums;
};

} // namespace qopt::cpu

#endif
