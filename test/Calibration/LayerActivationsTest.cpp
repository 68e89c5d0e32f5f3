//===- LayerActivationsTest.cpp - What weights are multiplied with
//---------===//
//
// Sums are small integers or exact quotients, so they are known to the last
// bit.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/LayerActivations.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Support/Npz.h"
#include "test/Support/TemporaryFolder.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;

static constexpr llvm::StringLiteral kProgram = R"(
func.func @main(%x: tensor<?x2xf32> {qopt.name = "x"}) -> (tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<2x1xf32>) : tensor<2x1xf32>
  %v = qopt.constant(dense<2.0> : tensor<2x1xf32>) : tensor<2x1xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>>}
    : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  %1 = qopt.matmul %x, %v {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>>}
    : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  %2 = qopt.matmul %x, %v {qopt.request = #qopt.request<params = float, why = "preset">}
    : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  return %0, %1, %2 : tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>
})";

namespace {
class LayerActivations : public testing::Test {
protected:
  LayerActivations() {
    context.loadDialect<QOptDialect, func::FuncDialect>();
    module = parseSourceString<ModuleOp>(kProgram, &context);
    write("a.npz", {3, 4, 0, 0});
    write("b.npz", {-6, 8});
  }

  void write(const std::string &name, std::vector<float> values) {
    HostTensor tensor = llvm::cantFail(HostTensor::copy(
        ElementType::F32, {static_cast<int64_t>(values.size()) / 2, 2},
        {reinterpret_cast<const char *>(values.data()), values.size() * 4}));
    llvm::cantFail(writeNpz(folder.file(name), {NamedTensor{"x", tensor}}));
  }

  /// The moments on each product; empty for none.
  SmallVector<std::vector<double>> collect(RowWeight weight) {
    auto data = llvm::cantFail(CalibrationData::find(folder.path()));
    std::unique_ptr<ProgramRunner> runner = createReferenceRunner();
    RoundingNeeds needs;
    needs.moments = true;
    needs.rowWeight = weight;
    llvm::cantFail(collectActivations(*module, findProductGroups(*module), data,
                                      needs, *runner));
    SmallVector<std::vector<double>> moments;
    module->walk([&](Operation *op) {
      EXPECT_FALSE(isa<ObserveOp>(op));
      if (!isa<MatMulOp>(op))
        return;
      auto attr =
          op->getAttrOfType<DenseF64ResourceElementsAttr>(kMomentsAttrName);
      moments.push_back(attr ? attr.tryGetAsArrayRef()->vec()
                             : std::vector<double>());
    });
    return moments;
  }

  /// The rows on the first product.
  std::vector<float> collectRows(int64_t most) {
    auto data = llvm::cantFail(CalibrationData::find(folder.path()));
    std::unique_ptr<ProgramRunner> runner = createReferenceRunner();
    std::vector<ProductGroup> groups = findProductGroups(*module);
    RoundingNeeds needs;
    needs.rows = most;
    llvm::cantFail(collectActivations(*module, groups, data, needs, *runner));
    return groups.front()
        .products.front()
        ->getAttrOfType<DenseF32ResourceElementsAttr>(kRowsAttrName)
        .tryGetAsArrayRef()
        ->vec();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  TemporaryFolder folder;
};
} // namespace

TEST_F(LayerActivations, SumsOverRowsOfAllSamples) {
  auto moments = collect(RowWeight::None);
  ASSERT_EQ(moments.size(), 3u);
  std::vector<double> expected = {9 + 36, 12 - 48, 12 - 48, 16 + 64};
  EXPECT_EQ(moments[0], expected);
  EXPECT_EQ(moments[1], expected) << "both read one activation";
  EXPECT_TRUE(moments[2].empty()) << "its weight stays float";
}

TEST_F(LayerActivations, EveryRowCountsOnceWhateverItsLength) {
  auto moments = collect(RowWeight::InverseSquare);
  EXPECT_NEAR(moments[0][0], 2 * 0.36, 1e-15);
  EXPECT_NEAR(moments[0][1], 0, 1e-15);
  EXPECT_NEAR(moments[0][3], 2 * 0.64, 1e-15);
}

TEST_F(LayerActivations, KeepsAllRowsWhereThereIsRoom) {
  EXPECT_EQ(collectRows(8), std::vector<float>({3, 4, 0, 0, -6, 8}));
}

TEST_F(LayerActivations, KeepsEachRowWithTheSameChance) {
  // 4,000 rows, of which number i is [i, 1].
  std::vector<float> values;
  for (int i = 0; i < 4000; ++i)
    values.insert(values.end(), {static_cast<float>(i), 1});
  values[0] = std::numeric_limits<float>::infinity();
  write("a.npz", values);
  write("b.npz", values);
  std::vector<float> rows = collectRows(1000);
  ASSERT_EQ(rows.size(), 2000u);
  double sum = 0;
  for (size_t i = 0; i < rows.size(); i += 2) {
    EXPECT_TRUE(std::isfinite(rows[i]));
    EXPECT_EQ(rows[i + 1], 1);
    sum += rows[i];
  }
  // The mean of so many has a standard error of 37.
  EXPECT_NEAR(sum / 1000, 2000, 150);
  EXPECT_EQ(rows, collectRows(1000)) << "the same on every machine";
}
