//===- CodeFormat.h - The format of codes beside their scales ---*- C++ -*-===//
//
// What a row of the format table has by default is not said again.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_CODEFORMAT_H
#define LIB_IMPORT_ONNX_CODEFORMAT_H

#include "dialects/QOpt/IR/QOptDialect.h"

namespace qopt::importer {

/// int8 or uint8.
bool isByte(mlir::Type type);

/// The format of codes of type `codes` with scales of type `scale` for each
/// position of `axis` (-1: one for all), or for each `block` of them (0: none).
/// `zero` is null where there is no zero point. Null where the table has no
/// such format.
FormatAttr getCodeFormat(mlir::Type codes, mlir::Type scale, mlir::Type zero,
                         int64_t axis, int64_t block);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_CODEFORMAT_H
