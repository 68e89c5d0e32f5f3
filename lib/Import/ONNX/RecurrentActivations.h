//===- RecurrentActivations.h - Functions of recurrent nodes ----*- C++ -*-===//
//
// LSTM, GRU and RNN name the functions of their gates, with numbers in two
// lists beside them.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_RECURRENTACTIVATIONS_H
#define LIB_IMPORT_ONNX_RECURRENTACTIVATIONS_H

#include "NodeImporter.h"

namespace qopt::importer {

enum class RecurrentFunction {
  Affine,
  Elu,
  HardSigmoid,
  LeakyRelu,
  Relu,
  ScaledTanh,
  Sigmoid,
  Softplus,
  Softsign,
  Tanh,
  ThresholdedRelu
};

/// A function of a gate, with the numbers that its kind takes.
struct RecurrentActivation {
  RecurrentFunction function;
  float alpha, beta;
};

/// Those of the node, `defaults` for each of `numDirections` where it names
/// none; nothing, with a failure, where it names others than there are.
std::optional<llvm::SmallVector<RecurrentActivation>>
readActivations(NodeImporter &node, int64_t numDirections,
                llvm::ArrayRef<llvm::StringRef> defaults);

/// Null where the node has failed.
mlir::Value apply(NodeImporter &node, const RecurrentActivation &activation,
                  mlir::Value x);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_RECURRENTACTIVATIONS_H
