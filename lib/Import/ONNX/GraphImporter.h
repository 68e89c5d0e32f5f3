//===- GraphImporter.h - An ONNX graph becoming a module --------*- C++ -*-===//
//
// Names become values here; what a node computes is the operators' concern.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_GRAPHIMPORTER_H
#define LIB_IMPORT_ONNX_GRAPHIMPORTER_H

#include "Failure.h"
#include "TensorReader.h"
#include "lib/ONNX/OnnxProto.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Import/ONNX/InputShapes.h"

namespace qopt::importer {

/// Makes the module of a graph whose inputs have `shapes`. The text of a
/// failure says in front which node, input or initializer it is about.
std::optional<Failure> importGraph(const onnx::GraphProto &graph, int64_t opset,
                                   llvm::ArrayRef<InputShape> shapes,
                                   TensorReader &tensors,
                                   mlir::MLIRContext *context,
                                   mlir::OwningOpRef<mlir::ModuleOp> &module);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_GRAPHIMPORTER_H
