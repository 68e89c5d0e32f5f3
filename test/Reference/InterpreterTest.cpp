//===- InterpreterTest.cpp - Programs, inputs, constants ------------------===//
//
// What surrounds the ops: checks of inputs, observers, constants in memory and
// in the IR.
//
//===----------------------------------------------------------------------===//

#include "TestProgram.h"

#include "qopt/Support/CodedError.h"
#include "gtest/gtest.h"

using namespace qopt;
using namespace qopt::test;

TEST(Interpreter, InputsAreCheckedAgainstTheArguments) {
  Program program("func.func @main(%x: tensor<?x2xf32> {qopt.name = \"x\", "
                  "qopt.dims = [\"batch\", \"\"]},"
                  " %y: tensor<?x2xf32> {qopt.name = \"y\", qopt.dims = "
                  "[\"batch\", \"\"]}) -> tensor<?x2xf32> {"
                  "%0 = qopt.add %x, %y : (tensor<?x2xf32>, tensor<?x2xf32>) "
                  "-> tensor<?x2xf32>"
                  " return %0 : tensor<?x2xf32> }");
  HostTensor good = f32({1, 2}, {1, 2});
  EXPECT_EQ(program.fail({good}), "expects 2 inputs, but found 1");
  EXPECT_EQ(program.fail({good, i32({1, 2}, {1, 2})}),
            "input 'y' has elements of f32, but found i32");
  EXPECT_EQ(program.fail({f32({2}, {1, 2}), good}),
            "input 'x' has rank 2, but found 1");
  EXPECT_EQ(program.fail({good, f32({1, 3}, {1, 2, 3})}),
            "dim 1 of input 'y' is 2, but found 3");
  EXPECT_EQ(program.fail({good, f32({2, 2}, {1, 2, 3, 4})}),
            "dim 'batch' is 1 in input 'x', but 2 in input 'y'");
  EXPECT_EQ(valuesOf<float>(program.get({good, good})),
            (std::vector<float>{2, 4}));
}

TEST(Interpreter, ResultsMustFitTheirTypes) {
  Program program("(%x: tensor<?xf32>, %s: tensor<1xi64>) -> tensor<3xf32> {"
                  "%0 = qopt.reshape %x, %s : (tensor<?xf32>, tensor<1xi64>) "
                  "-> tensor<3xf32>"
                  " return %0 : tensor<3xf32> }");
  EXPECT_EQ(program.fail({f32({2}, {1, 2}), i64({1}, {-1})}),
            "'qopt.reshape' op makes 2, which is not what its type says");
}

TEST(Interpreter, ErrorsNameTheNode) {
  Program program("(%x: tensor<2xf32>, %i: tensor<1xi64>) -> tensor<1xf32> {"
                  "%0 = qopt.gather %x, %i {axis = 0 : i64} : (tensor<2xf32>, "
                  "tensor<1xi64>) -> tensor<1xf32>"
                  " loc(fused<#qopt.node<4>>[\"/embed/Gather\"])"
                  " return %0 : tensor<1xf32> }");
  EXPECT_EQ(
      program.fail({f32({2}, {1, 2}), i64({1}, {9})}),
      "/embed/Gather: 'qopt.gather' op an index is out of range of axis 0, "
      "which is from -2 to 1");
}

TEST(Interpreter, ObserversSeeOperands) {
  Program program("(%x: tensor<2xf32>) -> tensor<2xf32> {"
                  "%0 = qopt.neg %x : (tensor<2xf32>) -> tensor<2xf32>"
                  " qopt.observe %0 {id = 7 : i64} : tensor<2xf32>"
                  " return %0 : tensor<2xf32> }");
  llvm::SmallVector<HostTensor> outputs;
  std::vector<float> seen;
  int64_t seenId = 0;
  llvm::cantFail(evaluate(program.main(), {f32({2}, {1, 2})}, outputs,
                          [&](int64_t id, const HostTensor &tensor) {
                            seenId = id;
                            seen = valuesOf<float>(tensor);
                          }));
  EXPECT_EQ(seenId, 7);
  EXPECT_EQ(seen, (std::vector<float>{-1, -2}));
}

/// Writes `tensor` as a constant and reads it again.
static void checkConstant(const HostTensor &tensor, bool isWeight) {
  Program program("() -> () { return }");
  mlir::MLIRContext *context = program.getContext();
  mlir::Attribute value = makeConstantValue(tensor, context);
  EXPECT_EQ(mlir::isa<WeightAttr>(value), isWeight);
  mlir::OpBuilder builder(context);
  mlir::OwningOpRef<ConstantOp> constant = ConstantOp::create(
      builder, builder.getUnknownLoc(),
      mlir::RankedTensorType::get(
          tensor.getDims(), getMLIRElementType(tensor.getType(), context)),
      value);
  EXPECT_TRUE(mlir::succeeded(constant->verify()));
  HostTensor read = llvm::cantFail(readConstant(*constant));
  EXPECT_EQ(read.getType(), tensor.getType());
  EXPECT_EQ(read.getDims(), tensor.getDims());
  EXPECT_EQ(read.getBytes(), tensor.getBytes());
}

TEST(Constants, SmallOnesAreElementsOthersWeights) {
  checkConstant(f32({2, 2}, {1, -0.0f, 3, 4}), false);
  checkConstant(f32({}, {5}), false);
  checkConstant(f32({300}, std::vector<float>(300, 2)), true);
  checkConstant(i64({3}, {1, -2, 3}), false);
  checkConstant(bytes(ElementType::BOOL, {3}, {1, 0, 1}), false);
  checkConstant(bytes(ElementType::U8, {2}, {200, 3}), false);
  checkConstant(f32({0}, {}), true);
}

TEST(Constants, CodesArePackedAsBitStreams) {
  checkConstant(bytes(ElementType::I4, {3}, {15, 1, 8}), true);
  checkConstant(bytes(ElementType::U2, {5}, {0, 1, 2, 3, 1}), true);
  checkConstant(bytes(ElementType::F6E3M2FN, {5}, {63, 1, 32, 7, 20}), true);
  checkConstant(bytes(ElementType::F8E8M0FNU, {2}, {255, 0}), true);
  Program program("() -> tensor<3xi4> { %0 = "
                  "qopt.constant(#qopt.weight<\"hex:1f08\">) : tensor<3xi4>"
                  " return %0 : tensor<3xi4> }");
  EXPECT_EQ(valuesOf<uint8_t>(program.get({})),
            (std::vector<uint8_t>{15, 1, 8}));
}

TEST(Constants, ElementsAttributesOfAnyKind) {
  Program program(
      "() -> (tensor<2xi1>, tensor<4xf32>, tensor<2xi4>) {"
      "%0 = qopt.constant(dense<[true, false]> : tensor<2xi1>) : tensor<2xi1>"
      "%1 = qopt.constant(dense<2.5> : tensor<4xf32>) : tensor<4xf32>"
      "%2 = qopt.constant(dense<[-1, 7]> : tensor<2xi4>) : tensor<2xi4>"
      " return %0, %1, %2 : tensor<2xi1>, tensor<4xf32>, tensor<2xi4> }");
  auto outputs = program.run({});
  EXPECT_EQ(valuesOf<uint8_t>(outputs[0]), (std::vector<uint8_t>{1, 0}));
  EXPECT_EQ(valuesOf<float>(outputs[1]), std::vector<float>(4, 2.5f));
  EXPECT_EQ(valuesOf<uint8_t>(outputs[2]), (std::vector<uint8_t>{15, 7}));
}

TEST(EvaluateOp, EvaluatesOneOpOfAProgram) {
  Program program(
      "(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {"
      "%0 = qopt.sub %x, %y : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>"
      " return %0 : tensor<2xf32> }");
  mlir::Operation *op = &program.main().getBody().front().front();
  auto results =
      llvm::cantFail(evaluateOp(op, {f32({2}, {5, 7}), f32({2}, {1, 2})}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{4, 5}));
}
