//===- ExpressionValueTest.cpp - Values that only constants decide --------===//
//
// A file decides how deep an expression is and how often it uses a value: time,
// stack and memory must not follow.
//
//===----------------------------------------------------------------------===//

#include "qopt/Reference/ExpressionValue.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "dialects/QOpt/Transforms/Constants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;

namespace {
/// A function without arguments to build expressions in.
class ExpressionValueTest : public testing::Test {
protected:
  ExpressionValueTest() : loc(UnknownLoc::get(&context)), builder(&context) {
    context.loadDialect<func::FuncDialect, QOptDialect>();
    module = ModuleOp::create(loc);
    builder.setInsertionPointToEnd(module->getBody());
    auto function = func::FuncOp::create(builder, loc, "main",
                                         builder.getFunctionType({}, {}));
    builder.setInsertionPointToStart(function.addEntryBlock());
  }

  /// `value` added to itself, `count` times.
  Value doubleIt(Value value, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      value = AddOp::create(builder, loc, value.getType(), value, value);
    return value;
  }

  /// A value of as many bytes as `dims` say, made from one.
  Value fill(ArrayRef<int64_t> dims) {
    Type i8 = builder.getI8Type();
    auto one = DenseElementsAttr::get(RankedTensorType::get({1}, i8),
                                      builder.getI8IntegerAttr(1));
    return ConstantOfShapeOp::create(builder, loc,
                                     RankedTensorType::get(dims, i8),
                                     makeIntegers(builder, loc, dims), one);
  }

  MLIRContext context;
  Location loc;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
};
} // namespace

TEST_F(ExpressionValueTest, evaluatesEachOpOnce) {
  Value value = doubleIt(makeScalar(builder, loc, 1.0f), 60);
  EXPECT_TRUE(isWeightExpression(value));
  auto tensor = evaluateExpression(value);
  ASSERT_TRUE(tensor.has_value());
  EXPECT_EQ(tensor->as<float>()[0], 0x1p60f);
}

TEST_F(ExpressionValueTest, followsChainsOfAnyDepth) {
  Value value = doubleIt(makeScalar(builder, loc, 0.0f), 512);
  EXPECT_TRUE(isWeightExpression(value));
  value = doubleIt(value, 50000);
  // Too long to look through: an activation for all that passes know.
  EXPECT_FALSE(isWeightExpression(value));
  auto tensor = evaluateExpression(value);
  ASSERT_TRUE(tensor.has_value());
  EXPECT_EQ(tensor->as<float>()[0], 0.0f);
}

TEST_F(ExpressionValueTest, makesNothingLargerThanTheLimit) {
  EXPECT_TRUE(evaluateExpression(fill({1 << 20})).has_value());
  EXPECT_FALSE(evaluateExpression(fill({1 << 14, 1 << 15})).has_value());
  // Two halves of the limit fit one after the other, not at once.
  Value half = doubleIt(fill({150 << 20}), 1);
  EXPECT_FALSE(evaluateExpression(half).has_value());
}
