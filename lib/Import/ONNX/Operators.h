//===- Operators.h - The ONNX operators that are imported -------*- C++ -*-===//
//
// One row for each operator and each opset that needs a function of its own.
// A family is a file with a table; Operators.cpp lists the families.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_OPERATORS_H
#define LIB_IMPORT_ONNX_OPERATORS_H

#include "NodeImporter.h"

namespace qopt::importer {

inline constexpr size_t kAnyNumber = ~size_t(0);

class Composer;

struct Operator {
  /// With the domain in front where it is not the default one.
  llvm::StringLiteral name;
  /// The row is for this opset and those after it, up to the next row.
  int64_t sinceOpset;
  size_t minInputs;
  size_t maxInputs;
  /// Sets the node's outputs or fails the node.
  mlir::LogicalResult (*import)(NodeImporter &node);
  /// What of the operator is taken, in words for its users; "" for all of it.
  const char *limits = "";
  /// It takes sequences and optionals beside tensors.
  bool takesLists = false;
  /// So many inputs in front may be left out, whatever else is said of them.
  size_t optionalInputs = 0;
};

llvm::ArrayRef<Operator> getActivationOperators();
llvm::ArrayRef<Operator> getArithmeticOperators();
llvm::ArrayRef<Operator> getAttentionOperators();
llvm::ArrayRef<Operator> getAttentionOperatorsOfMicrosoft();
llvm::ArrayRef<Operator> getBlockedWeightOperators();
llvm::ArrayRef<Operator> getConstantOperators();
llvm::ArrayRef<Operator> getContractionOperators();
llvm::ArrayRef<Operator> getControlFlowOperators();
llvm::ArrayRef<Operator> getDeterminantOperators();
llvm::ArrayRef<Operator> getElementwiseOperators();
llvm::ArrayRef<Operator> getFlexAttentionOperators();
llvm::ArrayRef<Operator> getFusedOperators();
llvm::ArrayRef<Operator> getIntegerOperators();
llvm::ArrayRef<Operator> getLinearAttentionOperators();
llvm::ArrayRef<Operator> getLoopOperators();
llvm::ArrayRef<Operator> getLossOperators();
llvm::ArrayRef<Operator> getMovementOperators();
llvm::ArrayRef<Operator> getNormalizationOperators();
llvm::ArrayRef<Operator> getPatchOperators();
llvm::ArrayRef<Operator> getQLinearOperators();
llvm::ArrayRef<Operator> getQuantizationOperators();
llvm::ArrayRef<Operator> getQuantizedRecurrentOperators();
llvm::ArrayRef<Operator> getRecurrentOperators();
llvm::ArrayRef<Operator> getReductionOperators();
llvm::ArrayRef<Operator> getSamplingOperators();
llvm::ArrayRef<Operator> getSelectionOperators();
llvm::ArrayRef<Operator> getSequenceOperators();
llvm::ArrayRef<Operator> getShapeOperators();
llvm::ArrayRef<Operator> getSignalOperators();
llvm::ArrayRef<Operator> getTfIdfOperators();
llvm::ArrayRef<Operator> getUpsampleOperators();
llvm::ArrayRef<Operator> getWindowOperators();

mlir::LogicalResult importEmbedLayerNormalization(NodeImporter &node);
mlir::LogicalResult importGroupQueryAttention(NodeImporter &node);

/// log(softmax(x)) along an axis.
mlir::Value makeLogSoftmax(Composer &composer, mlir::Value x, int64_t axis);

/// The row for a model of `opset`. Null when there is none; `since` is then the
/// first opset that has the operator, or 0.
const Operator *lookupOperator(llvm::StringRef name, int64_t opset,
                               int64_t &since);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_OPERATORS_H
