//===- InlineFunctions.h - Calls of a model's own functions -----*- C++ -*-===//
//
// Exporters write modules as functions that the file defines. Before a graph is
// imported, their nodes take the place of each call.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_INLINEFUNCTIONS_H
#define LIB_IMPORT_ONNX_INLINEFUNCTIONS_H

#include "Failure.h"
#include "lib/ONNX/OnnxProto.h"

namespace qopt::importer {

/// Replaces every call of a function of `model`, in subgraphs too. `opset` is
/// that of the model's own nodes.
std::optional<Failure> inlineFunctions(onnx::ModelProto &model, int64_t opset);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_INLINEFUNCTIONS_H
