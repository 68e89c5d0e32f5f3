//===- CodePathTest.cpp - Codes to codes with powers of two ---------------===//
//
// Where every op has an integer form, no float op is left between the quantizer
// of the input and the dequantizer of the output. Where one has none, it says
// why.
//
//===----------------------------------------------------------------------===//

#include "Presets.h"
#include "mlir/IR/TypeUtilities.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

/// Ops that read or make f32 tensors, other than constants.
static SmallVector<Operation *> floatOps(func::FuncOp function) {
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) {
    auto isFloat = [](Type type) {
      return isa<FloatType>(getElementTypeOrSelf(type)) &&
             getElementTypeOrSelf(type).isF32();
    };
    if (isa_and_nonnull<QOptDialect>(op->getDialect()) &&
        !isa<ConstantOp>(op) &&
        (llvm::any_of(op->getOperandTypes(), isFloat) ||
         llvm::any_of(op->getResultTypes(), isFloat)))
      ops.push_back(op);
  });
  return ops;
}

static void expectOnlyEnds(FloatProgram &program) {
  SmallVector<Operation *> ops = floatOps(program.main());
  ASSERT_EQ(ops.size(), 2u) << program.print();
  EXPECT_TRUE(isa<QuantizeOp>(ops[0])) << program.print();
  EXPECT_TRUE(ops[0]->getOperand(0) == program.main().getArgument(0));
  EXPECT_TRUE(isa<DequantizeOp>(ops[1])) << program.print();
}

template <class Op> static int64_t count(FloatProgram &program) {
  int64_t number = 0;
  program.main().walk([&](Op) { ++number; });
  return number;
}

TEST(CodePathTest, leavesNoFloatOpInAPooledNetwork) {
  FloatProgram program(pooledNetwork(), {3, 8, 12, 12});
  applyPreset(program, findPreset("w8a8-pow2"));
  expectOnlyEnds(program);
  EXPECT_EQ(count<LookupOp>(program), 1);
  EXPECT_EQ(count<DivideRoundOp>(program), 2);
  EXPECT_EQ(count<MaxPoolOp>(program), 1);
  EXPECT_EQ(count<RequantizeOp>(program), 0);
}

TEST(CodePathTest, leavesNoFloatOpInOtherNetworks) {
  FloatProgram mlp(perceptron(), {6, 64});
  applyPreset(mlp, findPreset("w8a8-pow2"));
  expectOnlyEnds(mlp);
  FloatProgram residual(residualBlock(), {2, 16, 9, 9});
  applyPreset(residual, findPreset("w8a8-pow2"));
  expectOnlyEnds(residual);
  FloatProgram depthwise(depthwiseNetwork(), {2, 48, 7, 7});
  applyPreset(depthwise, findPreset("w8a8-pow2"));
  expectOnlyEnds(depthwise);
}

/// `matmul -> body -> matmul` with `%0` and `%1` the names before and after.
static std::string between(const std::string &body) {
  return "func.func @main(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {\n" +
         constantText("%w1", {16, 16}, 41, 0.3f) +
         constantText("%w2", {16, 16}, 42, 0.3f) + R"(
  %half = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.matmul %x, %w1 : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
)" + body +
         R"(
  %2 = qopt.matmul %1, %w2 : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  return %2 : tensor<?x16xf32>
})";
}

static std::string unary(const std::string &op) {
  return between("%1 = qopt." + op +
                 " : (tensor<?x16xf32>) -> tensor<?x16xf32>");
}

namespace {
class FunctionsTest : public testing::TestWithParam<const char *> {};
} // namespace

TEST_P(FunctionsTest, becomeTables) {
  FloatProgram program(unary(GetParam()), {32, 16});
  HostTensor input = program.input(2), expected = program.evaluate(input);
  applyPreset(program, findPreset("w8a8-pow2"));
  expectOnlyEnds(program);
  EXPECT_EQ(count<LookupOp>(program), 1);
  EXPECT_GT(signalToNoise(expected, program.evaluate(input)), 20);
}

INSTANTIATE_TEST_SUITE_P(
    All, FunctionsTest,
    testing::Values("gelu %0", "silu %0", "hard_swish %0",
                    "hard_sigmoid %0 {alpha = 0.2 : f32, beta = 0.5 : f32}",
                    "sigmoid %0", "tanh %0", "exp %0", "abs %0", "softplus %0",
                    "leaky_relu %0 {alpha = 0.1 : f32}",
                    "elu %0 {alpha = 1.0 : f32}"));

TEST(CodePathTest, joinsAChainOfFunctionsInOneTable) {
  FloatProgram program(between(R"(
  %a = qopt.mul %0, %half : (tensor<?x16xf32>, tensor<f32>) -> tensor<?x16xf32>
  %b = qopt.tanh %a : (tensor<?x16xf32>) -> tensor<?x16xf32>
  %1 = qopt.add %b, %half : (tensor<?x16xf32>, tensor<f32>) -> tensor<?x16xf32>)"),
                       {32, 16});
  applyPreset(program, findPreset("w8a8-pow2"));
  expectOnlyEnds(program);
  EXPECT_EQ(count<LookupOp>(program), 1);
}

TEST(CodePathTest, clampsWithoutAnOp) {
  FloatProgram program(
      between("%1 = qopt.clip %0 {low = -0.5 : f32, high = 0.75 : f32} : "
              "(tensor<?x16xf32>) -> tensor<?x16xf32>"),
      {32, 16});
  applyPreset(program, findPreset("w8a8-pow2"));
  expectOnlyEnds(program);
  EXPECT_EQ(count<ClipOp>(program), 0);
}

TEST(CodePathTest, leavesIslandsWithAReason) {
  FloatProgram program(between(R"(
  %a = qopt.tanh %0 : (tensor<?x16xf32>) -> tensor<?x16xf32>
  %b = qopt.mul %0, %a : (tensor<?x16xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  %1 = qopt.softmax %b {axis = 1 : i64} : (tensor<?x16xf32>) -> tensor<?x16xf32>)"),
                       {32, 16});
  HostTensor input = program.input(2), expected = program.evaluate(input);
  applyPreset(program, findPreset("w8a8-pow2"));
  EXPECT_GT(signalToNoise(expected, program.evaluate(input)), 20);
  auto reason = [&](StringRef name) {
    StringRef why;
    program.main().walk([&](Operation *op) {
      auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
      if (op->getName().getStringRef() == name && request && request.getWhy())
        why = request.getWhy().getValue();
    });
    return why;
  };
  EXPECT_EQ(reason("qopt.mul"), "product of two tensors: float by preset");
  // What enters and leaves an island has scales that are powers of two.
  int64_t quantizeCount = 0;
  for (Operation *op : floatOps(program.main()))
    if (auto quantize = dyn_cast<QuantizeOp>(op)) {
      ++quantizeCount;
      EXPECT_TRUE(isa<Float8E8M0FNUType>(
          getElementTypeOrSelf(quantize.getScales()[0].getType())));
    }
  EXPECT_GE(quantizeCount, 2);
}

/// Every step is what the float formula says of the codes, but for the sums'
/// last rounding.
TEST(CodePathTest, addsAsTheFloatFormulaDoes) {
  FloatProgram program(R"(
func.func @main(%a: tensor<256xi8>, %b: tensor<256xi8>) -> (tensor<256xi8>, tensor<256xi8>) {
  %sa = qopt.constant(#qopt.weight<"hex:7b">) : tensor<1xf8E8M0FNU>
  %sb = qopt.constant(#qopt.weight<"hex:7d">) : tensor<1xf8E8M0FNU>
  %sy = qopt.constant(#qopt.weight<"hex:7e">) : tensor<1xf8E8M0FNU>
  %za = qopt.constant(dense<-7> : tensor<1xi8>) : tensor<1xi8>
  %zb = qopt.constant(dense<20> : tensor<1xi8>) : tensor<1xi8>
  %zy = qopt.constant(dense<3> : tensor<1xi8>) : tensor<1xi8>
  %0 = qopt.dequantize %a scales(%sa) zeros(%za) {format = #qopt.format<i8>} : (tensor<256xi8>, tensor<1xf8E8M0FNU>, tensor<1xi8>) -> tensor<256xf32>
  %1 = qopt.dequantize %b scales(%sb) zeros(%zb) {format = #qopt.format<i8>} : (tensor<256xi8>, tensor<1xf8E8M0FNU>, tensor<1xi8>) -> tensor<256xf32>
  %2 = qopt.add %0, %1 : (tensor<256xf32>, tensor<256xf32>) -> tensor<256xf32>
  %3 = qopt.sub %0, %1 : (tensor<256xf32>, tensor<256xf32>) -> tensor<256xf32>
  %4 = qopt.relu %3 : (tensor<256xf32>) -> tensor<256xf32>
  %5 = qopt.quantize %2 scales(%sy) zeros(%zy) {format = #qopt.format<i8>} : (tensor<256xf32>, tensor<1xf8E8M0FNU>, tensor<1xi8>) -> tensor<256xi8>
  %6 = qopt.quantize %4 scales(%sy) zeros(%zy) {format = #qopt.format<i8>} : (tensor<256xf32>, tensor<1xf8E8M0FNU>, tensor<1xi8>) -> tensor<256xi8>
  return %5, %6 : tensor<256xi8>, tensor<256xi8>
})",
                       {256});
  HostTensor a = llvm::cantFail(HostTensor::allocate(ElementType::I8, {256}));
  HostTensor b = llvm::cantFail(HostTensor::allocate(ElementType::I8, {256}));
  for (int i = 0; i < 256; ++i) {
    a.asMutable<int8_t>()[i] = static_cast<int8_t>(i - 128);
    b.asMutable<int8_t>()[i] = static_cast<int8_t>(i * 77 + 5);
  }
  SmallVector<HostTensor> before, after;
  ASSERT_FALSE(
      static_cast<bool>(qopt::evaluate(program.main(), {a, b}, before)));
  program.run(
      [](OpPassManager &pm) { pm.addPass(createPropagateCodesPass()); });
  EXPECT_TRUE(floatOps(program.main()).empty()) << program.print();
  ASSERT_FALSE(
      static_cast<bool>(qopt::evaluate(program.main(), {a, b}, after)));
  // These sums are exact in f32, so the codes are equal.
  for (auto [x, y] : llvm::zip_equal(before, after))
    EXPECT_EQ(x.as<int8_t>(), y.as<int8_t>());
}
