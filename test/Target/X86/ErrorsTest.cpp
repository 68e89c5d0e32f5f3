//===- ErrorsTest.cpp - Data that does not fit a program ------------------===//
//
// A run ends with a message that names the node; it never reads or writes
// outside of its tensors.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using qopt::test::messageOfRun;
using testing::HasSubstr;

TEST(X86Errors, RefusesDimsThatDoNotBroadcast) {
  const char *text = R"mlir(
    func.func @main(%a: tensor<?x5xf32>, %b: tensor<?x5xf32>) -> tensor<?x5xf32> {
      %0 = qopt.add %a, %b : (tensor<?x5xf32>, tensor<?x5xf32>) -> tensor<?x5xf32> loc("/block/Add")
      return %0 : tensor<?x5xf32>
    })mlir";
  EXPECT_EQ(messageOfRun(text, {3, 1}), "");
  EXPECT_THAT(messageOfRun(text, {3, 2}),
              HasSubstr("node \"/block/Add\": the dims of the operands do not "
                        "broadcast"));
}

// A hostile file may say more of a result than its operands do.
TEST(X86Errors, RefusesDimsThatOperandsDoNotGive) {
  const char *ops[] = {
      "%0 = qopt.relu %x : (tensor<?x5xf32>) -> tensor<8x5xf32>",
      "%0 = qopt.matmul %x, %w : (tensor<?x5xf32>, tensor<5x5xf32>) -> "
      "tensor<8x5xf32>",
      "%0 = qopt.softmax %x {axis = 1 : i64} : (tensor<?x5xf32>) -> "
      "tensor<8x5xf32>",
      "%0 = qopt.concat %x {axis = 0 : i64} : (tensor<?x5xf32>) -> "
      "tensor<8x5xf32>"};
  for (std::string op : ops) {
    std::string text =
        "func.func @main(%x: tensor<?x5xf32>) -> tensor<8x5xf32> {\n"
        "%w = qopt.constant(dense<1.0> : tensor<5x5xf32>) : tensor<5x5xf32>\n" +
        op + "\nreturn %0 : tensor<8x5xf32>\n}";
    EXPECT_EQ(messageOfRun(text, {8}), "") << op;
    EXPECT_THAT(messageOfRun(text, {3}),
                HasSubstr("expects 8 elements along axis 0"))
        << op;
  }
}

TEST(X86Errors, RefusesIndicesOutOfRange) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x5xf32>, %i: tensor<40xi64>) -> tensor<40x5xf32> {
      %0 = qopt.gather %x, %i {axis = 0 : i64} : (tensor<?x5xf32>, tensor<40xi64>) -> tensor<40x5xf32>
      return %0 : tensor<40x5xf32>
    })mlir";
  EXPECT_EQ(messageOfRun(text, {10}), "");
  // The range of an open axis is known to nobody but the program.
  EXPECT_THAT(messageOfRun(text, {8}),
              HasSubstr("an index is out of range of axis 0"));
  EXPECT_THAT(messageOfRun(text, {0}),
              HasSubstr("an index is out of range of axis 0"));
}

TEST(X86Errors, RefusesReshapesThatChangeTheSize) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x6xf32>) -> tensor<4x?xf32> {
      %s = qopt.constant(dense<[4, -1]> : tensor<2xi64>) : tensor<2xi64>
      %0 = qopt.reshape %x, %s : (tensor<?x6xf32>, tensor<2xi64>) -> tensor<4x?xf32>
      return %0 : tensor<4x?xf32>
    })mlir";
  EXPECT_EQ(messageOfRun(text, {2}), "");
  EXPECT_THAT(messageOfRun(text, {3}),
              HasSubstr("a reshape changes the number of elements"));
}

TEST(X86Errors, RefusesTensorsThatAreTooLarge) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<3xi64>) -> tensor<?x?x?xf32> {
      %big = qopt.constant(dense<2305843009213693952> : tensor<1xi64>) : tensor<1xi64>
      %s = qopt.mul %x, %big : (tensor<3xi64>, tensor<1xi64>) -> tensor<3xi64>
      %t = qopt.abs %s : (tensor<3xi64>) -> tensor<3xi64>
      %0 = qopt.constant_of_shape %t {value = dense<1.0> : tensor<1xf32>}
        : (tensor<3xi64>) -> tensor<?x?x?xf32>
      return %0 : tensor<?x?x?xf32>
    })mlir";
  EXPECT_THAT(messageOfRun(text), HasSubstr("a tensor is too large"));
}

TEST(X86Errors, RefusesOperandsOfOtherSizes) {
  EXPECT_THAT(messageOfRun(R"mlir(
    func.func @main(%x: tensor<?x?xf32>, %s: tensor<?xf32>) -> tensor<?x?xf32> {
      %0 = qopt.layer_norm %x, %s {axis = -1 : i64, epsilon = 0.0 : f32}
        : (tensor<?x?xf32>, tensor<?xf32>) -> tensor<?x?xf32>
      return %0 : tensor<?x?xf32>
    })mlir",
                           {2, 5, 4}),
              HasSubstr("do not broadcast"));
  EXPECT_THAT(messageOfRun(R"mlir(
    func.func @main(%a: tensor<?x2xf32>, %b: tensor<?x3xf32>) -> tensor<?x5xf32> {
      %0 = qopt.concat %a, %b {axis = 1 : i64} : (tensor<?x2xf32>, tensor<?x3xf32>) -> tensor<?x5xf32>
      return %0 : tensor<?x5xf32>
    })mlir",
                           {2, 3}),
              HasSubstr("the dims of the parts differ"));
  EXPECT_THAT(messageOfRun(R"mlir(
    func.func @main(%a: tensor<?x?xf32>, %b: tensor<?x3xf32>) -> tensor<?x3xf32> {
      %0 = qopt.matmul %a, %b : (tensor<?x?xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
      return %0 : tensor<?x3xf32>
    })mlir",
                           {2, 3, 4}),
              HasSubstr("the reduction dims of the operands differ"));
}

TEST(X86Errors, RefusesScalesOfOtherSizes) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<4x64xi8>, %s: tensor<4x?xf32>) -> tensor<4x64xf32> {
      %0 = qopt.dequantize %x scales(%s) {format = #qopt.format<i8, axis = 1, block = 32>}
        : (tensor<4x64xi8>, tensor<4x?xf32>) -> tensor<4x64xf32>
      return %0 : tensor<4x64xf32>
    })mlir";
  EXPECT_EQ(messageOfRun(text, {2}), "");
  EXPECT_THAT(messageOfRun(text, {3}),
              HasSubstr("the dims of the scales do not fit the codes"));
}

TEST(X86Errors, RefusesARangeWithoutSteps) {
  EXPECT_THAT(messageOfRun(R"mlir(
    func.func @main(%x: tensor<i64> {test.codes = array<i32: 0>}) -> tensor<?xi64> {
      %0 = qopt.range %x, %x, %x : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
      return %0 : tensor<?xi64>
    })mlir"),
              HasSubstr("a range has a step of 0"));
}

TEST(X86Errors, RefusesInputsThatShareASymbolButNotADim) {
  EXPECT_NE(messageOfRun(R"mlir(
    func.func @main(%a: tensor<?xf32> {qopt.name = "a", qopt.dims = ["n"]},
                    %b: tensor<?xf32> {qopt.name = "b", qopt.dims = ["n"]}) -> tensor<?xf32> {
      %0 = qopt.add %a, %b : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
      return %0 : tensor<?xf32>
    })mlir",
                         {4, 1}),
            "");
}
