//===- InterfacesTest.cpp - What each op answers to passes ----------------===//
//
// One table for all ops of the dialect. An op that answers more or less than
// its row fails, and so does an op that is defined among the contractions and
// has no row.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "gtest/gtest.h"
#include <map>
#include <set>

using namespace mlir;
using namespace qopt;

namespace {
/// What an op implements.
struct Answers {
  bool contraction = false, scales = false, root = false, epilogue = false;
};

class InterfacesTest : public testing::Test {
protected:
  InterfacesTest() : b(&context) {
    context.loadDialect<QOptDialect>();
    module = ModuleOp::create(UnknownLoc::get(&context));
    b.setInsertionPointToEnd(module->getBody());
  }

  Type f32() { return b.getF32Type(); }
  Type i8() { return b.getI8Type(); }
  Value tensor(ArrayRef<int64_t> dims, Type element) {
    module->getBodyRegion().front().addArgument(
        RankedTensorType::get(dims, element), b.getUnknownLoc());
    return module->getBodyRegion().front().getArguments().back();
  }
  RankedTensorType type(ArrayRef<int64_t> dims, Type element) {
    return RankedTensorType::get(dims, element);
  }

  MatMulOp matmul(ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs,
                  ArrayRef<int64_t> result) {
    return MatMulOp::create(b, b.getUnknownLoc(), type(result, f32()),
                            tensor(lhs, f32()), ValueRange(), ValueRange(),
                            tensor(rhs, f32()), ValueRange(), ValueRange(),
                            FormatAttr(), FormatAttr());
  }

  ConvOp conv(ArrayRef<int64_t> x, ArrayRef<int64_t> w, int64_t group,
              bool hasBias = false) {
    SmallVector<int64_t> ones(x.size() - 2, 1), pads(2 * ones.size(), 0);
    SmallVector<int64_t> result(x.size(), ShapedType::kDynamic);
    return ConvOp::create(b, b.getUnknownLoc(), type(result, f32()),
                          tensor(x, f32()), ValueRange(), ValueRange(),
                          tensor(w, f32()), ValueRange(), ValueRange(),
                          hasBias ? tensor({w[0]}, f32()) : Value(), ones, pads,
                          ones, group, FormatAttr(), FormatAttr());
  }

  MLIRContext context;
  OpBuilder b;
  OwningOpRef<ModuleOp> module;
};
} // namespace

template <class... Ops> static std::set<std::string> namesOf() {
  return {Ops::getOperationName().str()...};
}

static Answers ask(OperationName name) {
  return {name.hasInterface<ContractionOpInterface>(),
          name.hasInterface<ScaledOpInterface>(),
          name.hasInterface<KernelRootOpInterface>(),
          name.hasTrait<EpilogueTrait>()};
}

static std::string describe(const Answers &answers) {
  std::string text;
  for (auto [holds, name] : {std::pair(answers.contraction, "contraction"),
                             {answers.scales, "scales"},
                             {answers.root, "root"},
                             {answers.epilogue, "epilogue"}})
    if (holds)
      text += (text.empty() ? "" : " ") + std::string(name);
  return text;
}

/// Ops without a row answer nothing.
static const std::map<std::string, std::string> kTable = {
    {"qopt.matmul", "contraction scales root"},
    {"qopt.conv", "contraction scales root"},
    {"qopt.gemm", "contraction"},
    // A softmax stands between its products.
    {"qopt.attention", "root"},
    {"qopt.softmax", "root"},
    {"qopt.layer_norm", "root"},
    {"qopt.hadamard", "root"},
    {"qopt.reduce", "root"},
    {"qopt.global_average_pool", "root"},
    {"qopt.quantize_dynamic", "root"},
    {"qopt.batch_norm", "epilogue"},
    {"qopt.quantize", "scales epilogue"},
    {"qopt.dequantize", "scales epilogue"},
    {"qopt.requantize", "epilogue"},
    {"qopt.shift", "epilogue"},
    {"qopt.divide_round", "epilogue"},
    {"qopt.lookup", "epilogue"},
};

TEST_F(InterfacesTest, haveWhatTheTableSays) {
  auto names = context.getRegisteredOperationsByDialect("qopt");
  ASSERT_GT(names.size(), 60u);
  std::set<std::string> found;
  for (RegisteredOperationName name : names) {
    found.insert(name.getStringRef().str());
    auto row = kTable.find(name.getStringRef().str());
    EXPECT_EQ(describe(ask(name)), row == kTable.end() ? "" : row->second)
        << name.getStringRef().str();
  }
  for (const auto &[name, answers] : kTable)
    EXPECT_EQ(found.count(name), 1u) << name;
}

TEST_F(InterfacesTest, coverAllContractions) {
  for (const std::string &name : namesOf<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptContractionOps.cpp.inc"
           >()) {
    ASSERT_EQ(kTable.count(name), 1u) << name;
    EXPECT_TRUE(kTable.at(name).find("contraction") == 0 ||
                name == "qopt.attention")
        << name;
  }
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

/// `mk kn -> mn`; an axis with two roles is `(mk)`.
static std::string textOf(ArrayRef<unsigned> roles) {
  std::string text;
  for (unsigned role : roles) {
    std::string one;
    for (auto [bit, letter] : {std::pair(kBatchAxis, 'b'),
                               {kRowAxis, 'm'},
                               {kOutputAxis, 'n'},
                               {kProductAxis, 'k'}})
      if (role & bit)
        one += letter;
    text += one.size() == 1 ? one : "(" + one + ")";
  }
  return text;
}

static std::string textOf(const Contraction &sum) {
  return textOf(sum.lhs.axes) + " " + textOf(sum.rhs.axes) + " -> " +
         textOf(sum.resultAxes);
}

TEST_F(InterfacesTest, tellTheAxesOfProducts) {
  struct Row {
    SmallVector<int64_t> lhs, rhs, result;
    const char *axes;
    int64_t outputAxis, resultOutputAxis;
  };
  const Row rows[] = {
      {{2, 4}, {4, 3}, {2, 3}, "mk kn -> mn", 1, 1},
      {{5, 2, 4}, {4, 3}, {5, 2, 3}, "bmk kn -> bmn", 1, 2},
      {{5, 2, 4}, {6, 5, 4, 3}, {6, 5, 2, 3}, "bmk bbkn -> bbmn", 3, 3},
      {{4}, {4, 3}, {3}, "k kn -> n", 1, 0},
      {{2, 4}, {4}, {2}, "mk k -> m", -1, -1},
      {{4}, {4}, {}, "k k -> ", -1, -1},
  };
  for (const Row &row : rows) {
    MatMulOp op = matmul(row.lhs, row.rhs, row.result);
    Contraction sum = op.getContraction();
    EXPECT_EQ(textOf(sum), row.axes);
    EXPECT_EQ(sum.lhs.operand, &op.getLhsMutable());
    EXPECT_EQ(sum.rhs.operand, &op.getRhsMutable());
    EXPECT_EQ(sum.lhs.getProductAxis(),
              static_cast<int64_t>(row.lhs.size()) - 1);
    EXPECT_EQ(sum.rhs.getOutputAxis(), row.outputAxis);
    EXPECT_EQ(sum.getResultOutputAxis(), row.resultOutputAxis);
    EXPECT_EQ(sum.countProducts(), std::optional<int64_t>(4));
    EXPECT_EQ(sum.bias, nullptr);
    EXPECT_FALSE(sum.isDepthwise() || sum.isConvolution || sum.hasScales());
    EXPECT_EQ(op.getKernelFamily(), KernelFamily::Contract);
    // A column has no rows of its own that a kernel could make.
    EXPECT_EQ(op.getPrologueOperand(),
              row.rhs.size() > 1 ? &op.getLhsMutable() : nullptr);
  }
}

TEST_F(InterfacesTest, findTheDepthOnEitherSide) {
  constexpr int64_t kOpen = ShapedType::kDynamic;
  EXPECT_EQ(matmul({2, 4}, {kOpen, 3}, {2, 3}).getContraction().countProducts(),
            std::optional<int64_t>(4));
  EXPECT_EQ(
      matmul({2, kOpen}, {kOpen, 3}, {2, 3}).getContraction().countProducts(),
      std::nullopt);
}

TEST_F(InterfacesTest, tellTheAxesOfConvolutions) {
  ConvOp op = conv({1, 6, 8, 8}, {4, 3, 3, 3}, 2, /*hasBias=*/true);
  Contraction sum = op.getContraction();
  EXPECT_EQ(textOf(sum), "mk(mk)(mk) nkkk -> mnmm");
  EXPECT_EQ(sum.lhs.getProductAxis(), 1);
  EXPECT_EQ(sum.rhs.getProductAxis(), 1);
  EXPECT_EQ(sum.rhs.getOutputAxis(), 0);
  EXPECT_EQ(sum.getResultOutputAxis(), 1);
  EXPECT_EQ(sum.countProducts(), std::optional<int64_t>(27));
  ASSERT_NE(sum.bias, nullptr);
  EXPECT_EQ(sum.bias->get(), op.getBias());
  EXPECT_EQ(sum.group, 2);
  EXPECT_TRUE(sum.isConvolution);
  EXPECT_FALSE(sum.isDepthwise());
  EXPECT_EQ(op.getKernelFamily(), KernelFamily::Contract);
  EXPECT_EQ(op.getPrologueOperand(), nullptr);
}

/// One meaning, which either operand can show.
TEST_F(InterfacesTest, tellDepthwise) {
  constexpr int64_t kOpen = ShapedType::kDynamic;
  EXPECT_TRUE(conv({1, 4, 8}, {8, 1, 3}, 4).getContraction().isDepthwise());
  EXPECT_TRUE(conv({1, kOpen, 8}, {8, 1, 3}, 4).getContraction().isDepthwise());
  EXPECT_TRUE(conv({1, 4, 8}, {8, kOpen, 3}, 4).getContraction().isDepthwise());
  EXPECT_FALSE(conv({1, 8, 8}, {8, 2, 3}, 4).getContraction().isDepthwise());
  // One group of one channel is a plain convolution.
  EXPECT_FALSE(conv({1, 1, 8}, {8, 1, 3}, 1).getContraction().isDepthwise());
  EXPECT_EQ(conv({1, kOpen, 8}, {8, 1, 3}, 4).getKernelFamily(),
            KernelFamily::DepthwiseConv);
}

TEST_F(InterfacesTest, tellTheAxesOfGemm) {
  auto gemm = [&](bool transA, bool transB) {
    SmallVector<int64_t> a{2, 4}, w{4, 3};
    if (transA)
      std::swap(a[0], a[1]);
    if (transB)
      std::swap(w[0], w[1]);
    return GemmOp::create(b, b.getUnknownLoc(), type({2, 3}, f32()),
                          tensor(a, f32()), tensor(w, f32()), Value(),
                          b.getF32FloatAttr(1), b.getF32FloatAttr(1),
                          b.getBoolAttr(transA), b.getBoolAttr(transB));
  };
  EXPECT_EQ(textOf(gemm(false, false).getContraction()), "mk kn -> mn");
  EXPECT_EQ(textOf(gemm(true, true).getContraction()), "km nk -> mn");
  EXPECT_EQ(gemm(true, true).getContraction().countProducts(),
            std::optional<int64_t>(4));
  EXPECT_FALSE(gemm(false, false).takesCodes());
}

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

TEST_F(InterfacesTest, rebuildWithCodes) {
  MatMulOp op = matmul({2, 64}, {64, 3}, {2, 3});
  op->setAttr(kRequestAttrName, b.getUnitAttr());
  auto format = FormatAttr::get(&context, "i8", 0, 0, {}, {});
  Value codes = tensor({64, 3}, i8()), scales = tensor({1, 3}, f32());
  auto dequantize =
      DequantizeOp::create(b, b.getUnknownLoc(), type({64, 3}, f32()), codes,
                           scales, ValueRange(), format);
  Value made = op.rebuild(b, op.getType(), {op.getLhs()},
                          dequantize.getScaledTensors().front(), Value());
  auto rebuilt = made.getDefiningOp<MatMulOp>();
  EXPECT_TRUE(rebuilt->hasAttr(kRequestAttrName));
  Contraction sum = rebuilt.getContraction();
  EXPECT_TRUE(sum.hasScales());
  EXPECT_TRUE(sum.lhs.scales.empty());
  EXPECT_FALSE(sum.lhs.format);
  EXPECT_EQ(sum.rhs.tensor, codes);
  EXPECT_EQ(sum.rhs.scales.front(), scales);
  EXPECT_EQ(sum.rhs.format, format);
  EXPECT_EQ(rebuilt->getAttr(sum.rhs.formatName), format);
}

/// Kernels ask for their roots before the ops inside are verified.
TEST_F(InterfacesTest, bearWrongRanks) {
  Value scalar = tensor({}, f32());
  auto product = MatMulOp::create(
      b, b.getUnknownLoc(), type({}, f32()), scalar, ValueRange(), ValueRange(),
      scalar, ValueRange(), ValueRange(), FormatAttr(), FormatAttr());
  EXPECT_EQ(textOf(product.getContraction()), "k k -> ");
  auto image = ConvOp::create(b, b.getUnknownLoc(), type({}, f32()), scalar,
                              ValueRange(), ValueRange(), scalar, ValueRange(),
                              ValueRange(), Value(), {}, {}, {}, 2,
                              FormatAttr(), FormatAttr());
  EXPECT_EQ(image.getKernelFamily(), KernelFamily::Contract);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

TEST_F(InterfacesTest, makeWholeRowsOfTheLastAxis) {
  Value x = tensor({2, 3, 4}, f32());
  auto softmax = [&](int64_t axis) {
    return SoftmaxOp::create(b, b.getUnknownLoc(), x.getType(), x, axis);
  };
  EXPECT_TRUE(softmax(-1).makesWholeRows());
  EXPECT_TRUE(softmax(2).makesWholeRows());
  EXPECT_FALSE(softmax(1).makesWholeRows());
  EXPECT_EQ(softmax(1).getKernelFamily(), KernelFamily::Rows);
  EXPECT_EQ(softmax(1).getPrologueOperand(), nullptr);
  auto pool = GlobalAveragePoolOp::create(b, b.getUnknownLoc(),
                                          type({2, 3, 1}, f32()), x);
  EXPECT_FALSE(pool.makesWholeRows());
}
