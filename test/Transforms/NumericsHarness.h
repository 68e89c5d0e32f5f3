//===- NumericsHarness.h - Holds passes to their Numerics lines -*- C++ -*-===//
//
// A pass says in its description whether results may change. The harness reads
// that line, runs a program before and after the pass, and compares.
//
//===----------------------------------------------------------------------===//

#ifndef TEST_TRANSFORMS_NUMERICSHARNESS_H
#define TEST_TRANSFORMS_NUMERICSHARNESS_H

#include "test/Transforms/FloatPrograms.h"

namespace qopt::test {

enum class Claim { Exact, Bounded, Lossy };

/// What the `Numerics:` line of the pass with this flag claims. With `isPow2`
/// what it claims of factors that are powers of two. A pass without such a line
/// fails the test.
Claim readClaim(llvm::StringRef flag, bool isPow2 = false);

/// Where a pass is tried.
struct NumericsCase {
  /// Flag of the pass whose claim is checked.
  std::string flag;
  bool isPow2 = false;
  /// Largest difference over the largest value, for a claim that is bounded.
  double tolerance = 1e-5;
  /// Makes the program ready, as earlier phases do.
  std::function<void(FloatProgram &)> prepare = [](FloatProgram &) {};
  std::function<void(mlir::OpPassManager &)> passes = nullptr;
  /// Passes to a form that Reference runs, where `passes` leave another one.
  std::function<void(mlir::OpPassManager &)> lower = [](mlir::OpPassManager &) {
  };
};

/// Runs `program` on several inputs before and after. The pass must change the
/// program. `dims` are the inputs', the first of them dynamic.
void checkNumerics(const NumericsCase &numerics, const std::string &program,
                   llvm::ArrayRef<int64_t> dims);

} // namespace qopt::test

#endif
