//===- ContractHarness.cpp - Kernels against Reference --------------------===//
//
// Codes take all values, the extreme ones often: they are what saturates.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"

#include "../../Support/TemporaryFolder.h"
#include "../Conformance/TargetCase.h"
#include "AmxEmulation.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "qopt/Execution/ModelRunner.h"
#include "qopt/Target/X86/X86Backend.h"
#include "gtest/gtest.h"
#include <chrono>
#include <cstdlib>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

/// True when AMX is of use: it has products of integers only.
static bool hasProductsOfCodes(ModuleOp module) {
  return module
      ->walk([](Operation *op) {
        bool isProduct = isa<MatMulOp, ConvOp>(op) &&
                         cast<RankedTensorType>(op->getResult(0).getType())
                             .getElementType()
                             .isInteger(32);
        return isProduct ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

static bool compile(TargetCase &test, const std::string &path,
                    ArrayRef<StringRef> tiers) {
  SmallVector<TargetConfig> configs;
  for (StringRef tier : tiers)
    configs.push_back({tier.str()});
  X86Backend backend;
  auto compiled =
      backend.findHere(*backend.findMachine("amx"))
          ? backend.compile(test.getModule(), configs)
          : test::compileWithEmulatedTiles(test.getModule(), configs);
  if (failed(compiled))
    return false;
  if (llvm::Error error = test.link(*compiled, path))
    ADD_FAILURE() << llvm::toString(std::move(error));
  return true;
}

void test::expectEqualToReference(StringRef text, ArrayRef<int64_t> dims) {
  TargetCase test(text, dims);
  ASSERT_TRUE(bool(test));
  SmallVector<HostTensor> expected = test.evaluateReference();
  TemporaryFolder folder;
  SmallVector<StringRef> tiers = {"x86-64-v3", "x86-64-v4"};
  if (hasProductsOfCodes(test.getModule()))
    tiers.push_back("amx");
  std::string path = folder.file("model.so");
  ASSERT_TRUE(compile(test, path, tiers));
  for (StringRef tier : tiers) {
    ASSERT_EQ(setenv("QOPT_CPU", tier.data(), 1), 0);
    auto runner = ModelRunner::open(path);
    ASSERT_TRUE(bool(runner)) << llvm::toString(runner.takeError());
    if ((*runner)->getChosenTier() != tier) {
      EXPECT_NE(tier, "x86-64-v3") << "every machine of the tests has it";
      continue;
    }
    test.expectRuns(**runner, expected, {1, 2, 3, 7}, tier.str());
  }
  unsetenv("QOPT_CPU");
}

std::string test::messageOfRun(StringRef text, ArrayRef<int64_t> dims) {
  TargetCase test(text, dims);
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  if (!test || !compile(test, path, {"x86-64-v3"}))
    return "does not compile";
  auto runner = ModelRunner::open(path);
  if (!runner)
    return llvm::toString(runner.takeError());
  SmallVector<HostTensor> results;
  if (llvm::Error error = (*runner)->run(test.inputs, results))
    return llvm::toString(std::move(error));
  return "";
}

double test::measure(StringRef text, StringRef tier, int threads) {
  TargetCase test(text, {});
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  if (!test || !compile(test, path, {tier}))
    return -1;
  auto runner = ModelRunner::open(path);
  if (!runner) {
    ADD_FAILURE() << llvm::toString(runner.takeError());
    return -1;
  }
  (*runner)->setThreads(threads);
  double best = 1e9;
  for (int i = 0; i < 30; ++i) {
    auto start = std::chrono::steady_clock::now();
    llvm::consumeError((*runner)->runWithoutResults(test.inputs));
    std::chrono::duration<double, std::milli> time =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, time.count());
  }
  return best;
}
