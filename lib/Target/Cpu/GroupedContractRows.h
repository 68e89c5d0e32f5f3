//===- GroupedContractRows.h - Rows of codes as tiles read them -*- C++ -*-===//
//
// Each row becomes unsigned bytes (integers plus 128) where groups are summed
// in integers, else f32; the scales of its groups become words.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTROWS_H
#define QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTROWS_H

#include "GroupedContractOperand.h"
#include "TrailingRows.h"

namespace qopt::cpu {

/// Decodes rows of a [rows][depth] matrix of codes.
class RowDecoder : public RowConsumer {
public:
  RowDecoder(CpuProgram &program, const GroupedOperand &operand,
             const GroupShape &groups, mlir::Value rows, mlir::Value depth);

  struct Decoded {
    mlir::Value pointer;
    /// Words from row to row.
    mlir::Value stride;
    /// Words, one for each group of a row; null for none.
    mlir::Value scales;
  };
  /// On the host, before a launch.
  const Decoded &decoded() const { return result; }

  void capture(CaptureList &captures) override;
  void run(VectorBuilder &v, mlir::Value row) override;

private:
  void decodeFloats(VectorBuilder &v, mlir::Value from, mlir::Value to,
                    mlir::Value zero) const;
  void decodeIntegers(VectorBuilder &v, mlir::Value from, mlir::Value to,
                      mlir::Value zero) const;

  const Tier &tier;
  const GroupedOperand &operand;
  const GroupShape &groups;
  Decoded result;
  BesideTensors scales, zeros;
  llvm::SmallVector<mlir::Value> leading;
  mlir::Value depth, source, target, table, elementStride, groupCount;
};

} // namespace qopt::cpu

#endif
