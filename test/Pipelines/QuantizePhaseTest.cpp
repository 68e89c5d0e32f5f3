//===- QuantizePhaseTest.cpp - What quantizing leaves behind --------------===//
//
// Moments are the largest thing beside the weights, and a context frees nothing
// before its end.
//
//===----------------------------------------------------------------------===//

#include "Programs.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

static SmallVector<size_t> findMomentSizes(MLIRContext &context) {
  SmallVector<size_t> sizes;
  auto *resources =
      context.getLoadedDialect<BuiltinDialect>()
          ->getRegisteredInterface<ResourceBlobManagerDialectInterface>();
  resources->getBlobManager().getBlobMap([&](const auto &blobs) {
    for (const auto &entry : blobs)
      if (entry.getKey().starts_with("moments"))
        sizes.push_back(entry.getValue().getBlob()->getData().size());
  });
  return sizes;
}

TEST(QuantizePhase, FreesMomentsBehindRounding) {
  for (llvm::StringRef of : {"float", "quantized"}) {
    TemporaryFolder folder;
    Recipe recipe = llvm::cantFail(getPreset("w4a16-g32"));
    recipe.rounding.options.set("method", std::string("gptq"));
    recipe.rounding.options.set("moments-of", of.str());
    // Layers are collected again for each plan that policy tries.
    recipe.policy.minOutputSqnr = 30;
    auto context = makeContext();
    llvm::cantFail(compileDigits(recipe, Phase::Quantize, folder, "digits-mlp",
                                 context.get()));
    SmallVector<size_t> sizes = findMomentSizes(*context);
    EXPECT_GE(sizes.size(), 3u) << of.str();
    for (size_t size : sizes)
      EXPECT_EQ(size, 0u) << of.str();
  }
}
