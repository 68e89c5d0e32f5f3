//===- Programs.h - Digit classifiers compiled in tests ---------*- C++ -*-===//
//
// Real models, calibrated on random images with the reference evaluator: no
// machine is asked for.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TEST_PIPELINES_PROGRAMS_H
#define QOPT_TEST_PIPELINES_PROGRAMS_H

#include "qopt/Pipelines/Compiler.h"
#include "test/Support/TemporaryFolder.h"

namespace qopt::test {

/// A context with all dialects.
std::unique_ptr<mlir::MLIRContext> makeContext();

/// Compiles digits-cnn, or digits-mlp, with `recipe` up to and with `phase`,
/// into `folder`. What `context` holds can be looked at afterwards.
llvm::Expected<Report> compileDigits(const Recipe &recipe, Phase phase,
                                     const TemporaryFolder &folder,
                                     llvm::StringRef model = "digits-cnn",
                                     mlir::MLIRContext *context = nullptr);
/// As above with a preset, which must succeed.
Report compileDigits(llvm::StringRef preset, Phase phase = Phase::Kernels);

/// The row of the node with this name.
const ContractRow &findRow(const Report &report, llvm::StringRef node);

} // namespace qopt::test

#endif // QOPT_TEST_PIPELINES_PROGRAMS_H
