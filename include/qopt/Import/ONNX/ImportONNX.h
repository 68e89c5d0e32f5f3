//===- ImportONNX.h - From an ONNX file to qopt -----------------*- C++ -*-===//
//
// Weights stay in the mapped file: a module refers to their bytes, which the
// context's weight store keeps alive.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_IMPORT_ONNX_IMPORTONNX_H
#define QOPT_IMPORT_ONNX_IMPORTONNX_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Import/ONNX/InputShapes.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace qopt {

/// The opsets of the default domain that are imported.
inline constexpr int64_t kMinOpset = 1;
inline constexpr int64_t kMaxOpset = 28;

/// Why a model was not imported.
struct ImportError {
  /// BadData: malformed; Unsupported: valid, but not for us; NoResource: a file
  /// cannot be read; BadUse: the given shapes do not fit the model's inputs.
  ExitCode code = ExitCode::Internal;
  /// `model.onnx: node "/x/MatMul" (MatMul, opset 21): what is wrong`.
  std::string message;
  /// What to do about it; may be empty.
  std::string note;
};

/// Imports the model at `path` as a module with one function, `@main`, of
/// qopt ops: one op for each ONNX node where the dialect has one.
///
/// Arguments and results carry `qopt.name` and `qopt.dims`; the module carries
/// `qopt.nodes`, a row for each ONNX node except Constant. Loads the dialects
/// it needs into `context`. `shapes` are dims that the model leaves open; the
/// module is that of a model that states them. On failure fills `error` and
/// reports nothing else.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnxModel(llvm::StringRef path, mlir::MLIRContext &context,
                ImportError &error, llvm::ArrayRef<InputShape> shapes = {});

/// Gives the inputs of a program that was imported with open dims the dims
/// `shapes`; what follows from them is for a pass to infer.
llvm::Error fixInputShapes(mlir::func::FuncOp main,
                           llvm::ArrayRef<InputShape> shapes);

/// An ONNX operator that is imported, with the opset since which it is, and
/// what of it is not; empty where all is.
struct ImportedOperator {
  llvm::StringRef name;
  int64_t sinceOpset;
  llvm::StringRef limits;
};

/// Every operator that is imported, by name: the source of the documentation's
/// table.
std::vector<ImportedOperator> importedOperators();

/// The same as the page `docs/onnx-operators.md`.
std::string documentOperators();

} // namespace qopt

#endif // QOPT_IMPORT_ONNX_IMPORTONNX_H
