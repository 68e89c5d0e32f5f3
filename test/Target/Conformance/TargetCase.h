//===- TargetCase.h - A program for a target and Reference ------*- C++ -*-===//
//
// Random inputs and constants, what Reference makes of them, and the artefact
// of what a target compiled.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TEST_TARGET_CONFORMANCE_TARGETCASE_H
#define QOPT_TEST_TARGET_CONFORMANCE_TARGETCASE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Execution/ModelRunner.h"
#include "qopt/Support/HostTensor.h"
#include "qopt/Target/TargetBackend.h"
#include <random>

namespace qopt::test {

class TargetCase {
public:
  /// `text` is a module with @main, or the body of one. Its arguments get
  /// random values of their types, the extreme codes often: they are what
  /// saturates. Those marked `{test.constant}` become constants, and of codes
  /// marked
  /// `{test.codes = array<i32: ...>}` each is one of these. Dims that are `?`
  /// get the values of `dims`, in order.
  TargetCase(llvm::StringRef text, llvm::ArrayRef<int64_t> dims);

  /// False when the text does not parse.
  explicit operator bool() const { return bool(module); }

  mlir::ModuleOp getModule() { return *module; }

  /// The outputs by lib/Reference; a failure of the test when there are none.
  llvm::SmallVector<HostTensor> evaluateReference();

  /// Writes the artefact of what a target compiled to `path`.
  llvm::Error link(const CompiledProgram &compiled, const std::string &path);

  /// Runs the artefact with each number of threads; the outputs are `expected`,
  /// as `expectEqual` says.
  void expectRuns(ModelRunner &runner, llvm::ArrayRef<HostTensor> expected,
                  llvm::ArrayRef<int> threads, const std::string &where,
                  double bound = 0);

  llvm::SmallVector<HostTensor> inputs;

private:
  int64_t uniform(int64_t low, int64_t high);
  HostTensor makeValue(mlir::BlockArgument argument,
                       llvm::ArrayRef<int64_t> &dims);
  void fill(HostTensor &tensor, mlir::Type type);
  void insertConstants(llvm::ArrayRef<HostTensor> values);

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp program;
  std::mt19937 random{1};
};

/// `actual` is `expected`: bit for bit, where any NaN is a NaN; or, of f32 and
/// with a `bound`, to within it times the largest number of `expected`.
void expectEqual(const HostTensor &expected, const HostTensor &actual,
                 const std::string &where, double bound = 0);

} // namespace qopt::test

#endif
