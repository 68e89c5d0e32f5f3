//===- IntegerProducts.h - Sums of products of codes ------------*- C++ -*-===//
//
// What all operators on codes of 8 bits share.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_INTEGERPRODUCTS_H
#define LIB_IMPORT_ONNX_INTEGERPRODUCTS_H

#include "Contractions.h"

namespace qopt::importer {

/// Codes with their zero point.
struct Codes {
  mlir::Value tensor;
  /// Of one element, as products take it; null where there is none.
  mlir::Value zero = {};
  /// In place of that, as it stands in the model: one for each row or column.
  mlir::Value zeros = {};

  ProductOperand operand() const { return {tensor, zero}; }
};

mlir::LogicalResult expectBytes(NodeImporter &node, mlir::Value value);

/// The codes of an input with the zero point of another.
std::optional<Codes> readCodes(NodeImporter &node, size_t input,
                               size_t zeroInput);

/// `value`, of one element or with one for each position of `axis`, as a tensor
/// of `rank` that broadcasts. Null on failure.
mlir::Value alongAxis(NodeImporter &node, mlir::Value value, int64_t rank,
                      int64_t axis, llvm::StringRef name);

/// `sums` less `zeros` times what they belong to. Null on failure.
mlir::Value subtractZeros(NodeImporter &node, mlir::Value sums,
                          mlir::Value zeros, mlir::Value others);

/// The sums of a matrix product, of i32. Null on failure.
mlir::Value multiplyCodes(NodeImporter &node, const Codes &a, const Codes &b);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_INTEGERPRODUCTS_H
