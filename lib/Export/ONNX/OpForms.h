//===- OpForms.h - How ops are written --------------------------*- C++ -*-===//
//
// One row for each op that has an ONNX form. A family is a file with a table;
// ExportONNX.cpp lists the families.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_EXPORT_ONNX_OPFORMS_H
#define LIB_EXPORT_ONNX_OPFORMS_H

#include "GraphWriter.h"

namespace qopt::exporter {

struct OpForm {
  llvm::StringLiteral op;
  /// The operator that it becomes; empty where `write` makes several.
  llvm::StringLiteral operation;
  /// Writes the op, or reports why it cannot.
  void (*write)(GraphWriter &writer, mlir::Operation *op,
                llvm::StringRef operation);
};

llvm::ArrayRef<OpForm> getContractionForms();
llvm::ArrayRef<OpForm> getElementwiseForms();
llvm::ArrayRef<OpForm> getMovementForms();
llvm::ArrayRef<OpForm> getNormalizationForms();
llvm::ArrayRef<OpForm> getQuantizationForms();

/// The row of an op, or null.
const OpForm *lookupForm(llvm::StringRef op);

/// The names of all operands.
llvm::SmallVector<std::string> useOperands(GraphWriter &writer,
                                           mlir::Operation *op);

/// The form of an op whose operands are the inputs and that has no attributes.
void writeSame(GraphWriter &writer, mlir::Operation *op,
               llvm::StringRef operation);

} // namespace qopt::exporter

#endif // LIB_EXPORT_ONNX_OPFORMS_H
