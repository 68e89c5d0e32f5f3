//===- Problems.h - Diagnostics in a user's words ---------------*- C++ -*-===//
//
// Passes speak of ops; who compiles a model knows its nodes.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_PROBLEMS_H
#define LIB_PIPELINES_PROBLEMS_H

#include "mlir/IR/Diagnostics.h"
#include "qopt/Pipelines/Contract.h"
#include "qopt/Support/CodedError.h"

namespace qopt {

/// Collects what is reported while it lives.
class Problems {
public:
  /// Messages begin with the file of `model`; `contract` knows the nodes.
  /// Warnings are added to `warnings`, where there is such a list.
  Problems(mlir::MLIRContext &context, llvm::StringRef model,
           const Contract &contract,
           std::vector<std::string> *warnings = nullptr);

  bool empty() const { return lines.empty(); }
  /// All that was reported, or `fallback` about the model where nothing was. A
  /// refusal without a note gets one.
  llvm::Error take(ExitCode code, const llvm::Twine &fallback);
  /// `error`, or what was reported where that says more than that it failed.
  llvm::Error orReported(llvm::Error error);

private:
  void add(mlir::Diagnostic &diagnostic);
  std::string describe(mlir::Diagnostic &diagnostic) const;
  std::string describe(mlir::Location loc) const;

  std::string model;
  const Contract &contract;
  llvm::SmallVector<std::string> lines, notes;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace qopt

#endif // LIB_PIPELINES_PROBLEMS_H
