//===- PackingRows.h - Rows of codes as words of unsigned bytes -*- C++ -*-===//
//
// The broadcast operand of a product of codes is read four codes at a time:
// rows get a length of whole vectors, and signed codes 128 added.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_PACKINGROWS_H
#define QOPT_LIB_TARGET_CPU_PACKINGROWS_H

#include "CpuProgram.h"
#include "TrailingRows.h"

namespace qopt::cpu {

struct PackedRows {
  mlir::Value pointer;
  /// Words from row to row.
  mlir::Value stride;
  /// i32: the sum of each row's unsigned bytes; null where not asked for.
  mlir::Value sums;
};

/// Copies rows of a [rows][depth] matrix of codes. Bytes behind a row's end are
/// 0.
class RowPacker : public RowConsumer {
public:
  RowPacker(CpuProgram &program, mlir::Value codes, mlir::Value rows,
            mlir::Value depth, mlir::Type element, bool wantsSums);

  /// On the host, before a launch.
  const PackedRows &packed() const { return result; }

  void capture(CaptureList &captures) override;
  void run(VectorBuilder &v, mlir::Value row) override;

private:
  mlir::Type element;
  PackedRows result;
  mlir::Value codes, depth, vectors, rowBytes, target, sums;
};

} // namespace qopt::cpu

#endif
