//===- PackingRows.h - Rows of codes as words of unsigned bytes -*- C++ -*-===//
//
// The broadcast operand of a product of codes is read four codes at a time:
// rows get a length of whole vectors, and signed codes 128 added.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_PACKINGROWS_H
#define QOPT_LIB_TARGET_X86_PACKINGROWS_H

#include "ProgramEmitter.h"

namespace qopt::x86 {

struct PackedRows {
  mlir::Value pointer;
  /// Words from row to row.
  mlir::Value stride;
  /// i32: the sum of each row's unsigned bytes; null where not asked for.
  mlir::Value sums;
};

/// Launches the copy of a [rows][depth] matrix of codes. Bytes behind a row's
/// end are 0.
PackedRows packRows(ProgramEmitter &program, mlir::Value codes,
                    mlir::Value rows, mlir::Value depth, bool isUnsigned,
                    bool wantsSums);

} // namespace qopt::x86

#endif
