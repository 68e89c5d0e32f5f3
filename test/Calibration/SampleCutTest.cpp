//===- SampleCutTest.cpp - Runs that go on where the last one ended -------===//
//
// A chain of products with a residual: what is observed is the same with a cut
// and without, whatever fits, and what has run does not run again.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/SampleCut.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/Quantization/RoundingMethod.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Support/Npz.h"
#include "test/Support/TemporaryFolder.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;

/// %x -> tanh -> a -> b -> c -> sum with tanh -> d; each letter a product.
static constexpr llvm::StringLiteral kProgram = R"(
func.func @main(%x: tensor<?x2xf32> {qopt.name = "x"}) -> tensor<?x2xf32> {
  %w = qopt.constant(dense<[[0.5, -1.0], [0.25, 2.0]]> : tensor<2x2xf32>) : tensor<2x2xf32>
  %t = qopt.tanh %x : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %a = qopt.matmul %t, %w {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %b = qopt.matmul %a, %w {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %c = qopt.matmul %b, %w {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %s = qopt.add %c, %t : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %d = qopt.matmul %s, %w {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %d : tensor<?x2xf32>
})";

namespace {
/// Counts what each program that it runs has.
class CountingRunner : public ProgramRunner {
public:
  llvm::Error prepare(ModuleOp module) override {
    int products = 0;
    module->walk([&](MatMulOp) { ++products; });
    numProducts.push_back(products);
    return inner->prepare(module);
  }
  llvm::Error run(llvm::ArrayRef<HostTensor> inputs, ObserveCallback observe,
                  llvm::SmallVectorImpl<HostTensor> *results) override {
    return inner->run(inputs, observe, results);
  }

  std::vector<int> numProducts;

private:
  std::unique_ptr<ProgramRunner> inner = createReferenceRunner();
};

class SampleCutTest : public testing::Test {
protected:
  SampleCutTest() {
    context.loadDialect<QOptDialect, func::FuncDialect>();
    for (int sample = 0; sample < 4; ++sample) {
      std::vector<float> values(2 * (sample + 1));
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = 0.1f * static_cast<float>(i) - 0.3f * sample;
      HostTensor tensor = llvm::cantFail(HostTensor::copy(
          ElementType::F32, {sample + 1, 2},
          {reinterpret_cast<const char *>(values.data()), values.size() * 4}));
      llvm::cantFail(writeNpz(folder.file(std::to_string(sample) + ".npz"),
                              {NamedTensor{"x", tensor}}));
    }
    data = llvm::cantFail(CalibrationData::find(folder.path()));
  }

  using Seen = std::vector<std::tuple<size_t, int64_t, std::string>>;

  /// What the products read, product by product, of which those before are
  /// changed as rounding would: each reads a sum instead.
  Seen observe(std::optional<uint64_t> maxBytes) {
    auto module = parseSourceString<ModuleOp>(kProgram, &context);
    SmallVector<MatMulOp> products;
    module->walk([&](MatMulOp op) { products.push_back(op); });
    CountingRunner runner;
    Seen seen;
    {
      SampleCut cut(*module, maxBytes.value_or(0));
      for (auto [id, product] : llvm::enumerate(products)) {
        OpBuilder builder(product);
        auto observed =
            ObserveOp::create(builder, product.getLoc(), product.getLhs(), id);
        auto look = [&](size_t sample, int64_t number,
                        const HostTensor &tensor) {
          seen.emplace_back(
              sample, number,
              std::string(tensor.getBytes().data(), tensor.getBytes().size()));
        };
        llvm::cantFail(maxBytes ? cut.runSamples(*module, data, runner, look)
                                : runSamples(*module, data, runner, look));
        observed.erase();
        Value rounded =
            AddOp::create(builder, product.getLoc(), product.getLhs().getType(),
                          product.getLhs(), product.getLhs());
        product.getLhsMutable().assign(rounded);
        product->setAttr(kRoundedAttrName, builder.getUnitAttr());
        numKept.push_back(cut.countKept());
      }
    }
    module->walk([](Operation *op) { EXPECT_FALSE(op->hasAttr("qopt.cut")); });
    numProducts = runner.numProducts;
    return seen;
  }

  MLIRContext context;
  TemporaryFolder folder;
  CalibrationData data;
  std::vector<int> numProducts;
  std::vector<size_t> numKept;
};
} // namespace

TEST_F(SampleCutTest, RunsNothingTwice) {
  Seen whole = observe(std::nullopt);
  EXPECT_EQ(whole.size(), 16u);
  EXPECT_EQ(numProducts, std::vector<int>({4, 4, 4, 4}));
  EXPECT_EQ(observe(SampleCut::kMaxBytes), whole);
  EXPECT_EQ(numProducts, std::vector<int>({0, 1, 1, 1}));
  EXPECT_EQ(numKept.back(), 4u);
}

TEST_F(SampleCutTest, RunsFromTheBeginningWhatDoesNotFit) {
  Seen whole = observe(std::nullopt);
  EXPECT_EQ(observe(0), whole);
  EXPECT_EQ(numProducts, std::vector<int>({0, 1, 2, 3}));
  EXPECT_EQ(numKept.back(), 0u);
  // One tensor of all samples, but two of the first alone.
  numKept.clear();
  EXPECT_EQ(observe(100), whole);
  EXPECT_EQ(numKept, std::vector<size_t>({4, 1, 1, 1}));
  EXPECT_EQ(numProducts, std::vector<int>({0, 1, 1, 2, 1, 3}));
}
