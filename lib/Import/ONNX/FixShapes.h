//===- FixShapes.h - Inputs of the dims that a user gives -------*- C++ -*-===//
//
// Nodes are imported after it, so they are checked against these dims.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_FIXSHAPES_H
#define LIB_IMPORT_ONNX_FIXSHAPES_H

#include "Failure.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Import/ONNX/InputShapes.h"

namespace qopt::importer {

/// Gives the arguments of a function these dims, and every dim of an argument
/// the size of the others that have its name. Users keep their types.
std::optional<Failure> fixShapes(mlir::func::FuncOp function,
                                 llvm::ArrayRef<InputShape> shapes);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_FIXSHAPES_H
