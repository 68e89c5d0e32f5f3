//===- ContractCodes.h - Zero points of a product of codes ------*- C++ -*-===//
//
// A tile sums u * s, u unsigned and s signed bytes; what was asked for is
//   sum (u - zu)(s - zs) = sum u s - zu sum s - zs sum u + K zu zs.
// Codes of the other signedness are shifted by 128, and so are their zeros.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_CONTRACTCODES_H
#define QOPT_LIB_TARGET_CPU_CONTRACTCODES_H

#include "ContractSchedule.h"

namespace qopt::cpu {

/// One operand of a product of codes.
struct CodeOperand {
  mlir::Value tensor;
  mlir::ValueRange zeros;

  mlir::Type element() const;
  bool isUnsigned() const { return element().isUnsignedInteger(); }
};

/// True for tensors of 8-bit integers.
bool isByteCodes(mlir::Value tensor);

/// The zero point (i32, on the host) that belongs to the operand's bytes when
/// they are stored unsigned or signed. Constant where it is known.
mlir::Value storedZero(CpuProgram &program, const CodeOperand &operand,
                       bool storedUnsigned);

/// A vector of codes, as they lie in memory, as unsigned bytes.
mlir::Value unsignedBytes(VectorBuilder &v, mlir::Value bytes,
                          mlir::Type element);

/// True when a zero point is known to be 0.
bool isZero(mlir::Value zero);

/// What is added to the sums of a tile.
struct CodeTerms {
  /// Zero points of the row operand and of the lane operand.
  mlir::Value rowZero, laneZero;
  /// K.
  mlir::Value depth;
  /// Null where no sum is needed.
  mlir::Value rowSums, laneSums;

  bool needsRowSums() const { return !isZero(laneZero); }
  bool needsLaneSums() const { return !isZero(rowZero); }
  void capture(CaptureList &captures);
  /// `sums` corrected. `row` counts in `rowSums`; `laneCodes` are 16 sums.
  mlir::Value apply(VectorBuilder &v, mlir::Value sums, mlir::Value row,
                    mlir::Value laneCodes);
};

} // namespace qopt::cpu

#endif
