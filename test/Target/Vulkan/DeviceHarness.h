//===- DeviceHarness.h - Programs on a Vulkan device ------------*- C++ -*-===//
//
// Compiles a program, runs it on the device of the machine with the validation
// layer on, and compares with Reference. Where there is no device, or no layer,
// a test is skipped and says why.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TEST_TARGET_VULKAN_DEVICEHARNESS_H
#define QOPT_TEST_TARGET_VULKAN_DEVICEHARNESS_H

#include "qopt/Support/HostTensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "gtest/gtest.h"

namespace qopt::test {

/// Sets the environment that the driver reads; skips without a driver.
class DeviceTest : public testing::Test {
protected:
  void SetUp() override;

  /// `text` is a module with @main, or a function body. Arguments get random
  /// values of their types; those marked `{test.constant}` become constants.
  /// Dims that are `?` get the values of `dims`, in order. Results may differ
  /// from Reference by `bound` times the largest of them; 0: equal bits.
  void expectNearReference(llvm::StringRef text, double bound = 0,
                           llvm::ArrayRef<int64_t> dims = {});
  /// The diagnostics of a program that must not compile.
  std::string failureOf(llvm::StringRef text);
  /// The exit code and text of a run that must fail.
  std::string failureOfRun(llvm::StringRef text);
  /// A run on values of `wrongDims` fails, and one on `dims` after it is right.
  void expectRunAfterFailure(llvm::StringRef text,
                             llvm::ArrayRef<int64_t> wrongDims,
                             llvm::ArrayRef<int64_t> dims);
};

} // namespace qopt::test

#endif
