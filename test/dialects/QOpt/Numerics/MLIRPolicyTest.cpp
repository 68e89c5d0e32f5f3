//===- MLIRPolicyTest.cpp - Formulas become valid operations --------------===//
//
// Each formula is built into a function over scalars and over vectors; the
// verifier accepts it and no operation carries a fast-math flag.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "dialects/QOpt/Numerics/Activations.h"
#include "dialects/QOpt/Numerics/ElementCodes.h"
#include "dialects/QOpt/Numerics/Power.h"
#include "dialects/QOpt/Numerics/Trigonometry.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::numerics;

namespace {
class MLIRPolicyTest : public ::testing::TestWithParam<int64_t> {
protected:
  MLIRPolicyTest() {
    context.loadDialect<arith::ArithDialect, func::FuncDialect,
                        math::MathDialect, vector::VectorDialect>();
  }

  /// A function (f32, f32, i32, i32) -> whatever `body` returns, by lanes.
  template <class Body> void expectValid(Body body) {
    OpBuilder builder(&context);
    Location loc = builder.getUnknownLoc();
    OwningOpRef<ModuleOp> module = ModuleOp::create(builder, loc);
    MLIRPolicy b(builder, loc, GetParam());
    Type types[] = {b.f32(), b.f32(), b.i32(), b.i32()};
    builder.setInsertionPointToStart(module->getBody());
    auto function = func::FuncOp::create(builder, loc, "f",
                                         builder.getFunctionType(types, {}));
    Block *entry = function.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    Value result = body(b, entry->getArgument(0), entry->getArgument(1),
                        entry->getArgument(2), entry->getArgument(3));
    function.setType(builder.getFunctionType(types, result.getType()));
    func::ReturnOp::create(builder, loc, result);
    EXPECT_TRUE(succeeded(verify(*module)));
    int numOps = 0;
    module->walk([&](arith::ArithFastMathInterface op) {
      ++numOps;
      EXPECT_EQ(op.getFastMathFlagsAttr().getValue(),
                arith::FastMathFlags::none);
    });
    EXPECT_GT(numOps, 0);
  }

  MLIRContext context;
};
} // namespace

TEST_P(MLIRPolicyTest, Elementary) {
  expectValid([](MLIRPolicy &b, Value x, Value y, Value, Value) {
    Value sum = expF32(b, x);
    for (Value value :
         {logF32(b, x), tanhF32(b, x), erfF32(b, x), sigmoidF32(b, x),
          sinF32(b, x), cosF32(b, y), powF32(b, x, y), reciprocalF32(b, x),
          rsqrtF32(b, y), b.floor(x), b.ceil(x)})
      sum = b.add(sum, value);
    return sum;
  });
}

TEST_P(MLIRPolicyTest, Activations) {
  expectValid([](MLIRPolicy &b, Value x, Value y, Value, Value) {
    Value sum = reluF32(b, x);
    for (Value value :
         {leakyReluF32(b, x, y), clipF32(b, x, y, x), eluF32(b, x, y),
          geluErfF32(b, x), geluTanhF32(b, x), siluF32(b, x), swishF32(b, x, y),
          hardSigmoidF32(b, x, y, y), hardSwishF32(b, x), softplusF32(b, x)})
      sum = b.add(sum, value);
    return sum;
  });
}

TEST_P(MLIRPolicyTest, Integers) {
  expectValid([](MLIRPolicy &b, Value x, Value y, Value i, Value j) {
    Value code = quantizeToInt(b, x, y, j, -128, 127);
    code = b.addI(code, quantizeDivide(b, x, y, j, 0, 255));
    code = b.addI(code, requantize(b, i, y, j, -128, 127));
    code = b.addI(code, shiftToCode(b, i, j, j, -128, 127));
    Value narrow = b.truncate(code, 8);
    auto scale = symmetricScale(b, x, 127);
    return b.add(dequantizeInt(b, b.extendSigned(narrow),
                               b.extendUnsigned(narrow), scale.inverse),
                 scale.scale);
  });
}

TEST_P(MLIRPolicyTest, Codes) {
  expectValid([](MLIRPolicy &b, Value x, Value y, Value i, Value j) {
    Value sum = b.f(0);
    for (size_t k = 0; k < elementFormats().size(); ++k)
      sum = b.add(sum, decodeCode(b, i, ElementFormat(k)));
    Value code = encodeFloatCode(b, x, ElementFormat::F8E5M2, false);
    for (const BlockFormat &format : blockFormats()) {
      code = b.addI(code, encodeUnit(b, x, format));
      if (!format.hasSharedExponent())
        continue;
      Value byte = mxScaleByte(b, magnitudeBits(b, x), format, ScaleRule::Ceil);
      code = b.addI(code, mxElementCode(b, y, j, byte, format));
    }
    Value scale = nvfp4ScaleCode(b, j, nvfp4EncodeScaleOfBits(b, j));
    code = b.addI(code, nvfp4ElementCode(b, x, nvfp4Step(b, scale, y)));
    return scaleByBytes(b, sum, code, 2, -2, b.eqI(code, b.i(255)));
  });
}

TEST_P(MLIRPolicyTest, SplatFillsTheLanes) {
  OpBuilder builder(&context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, loc);
  builder.setInsertionPointToStart(module->getBody());
  MLIRPolicy scalar(builder, loc), b(builder, loc, GetParam());
  EXPECT_EQ(b.splat(scalar.f(1)).getType(), b.f32());
  EXPECT_EQ(b.splat(scalar.i(1)).getType(), b.i32());
}

INSTANTIATE_TEST_SUITE_P(Lanes, MLIRPolicyTest, ::testing::Values(0, 8, 16));
