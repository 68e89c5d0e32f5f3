//===- MovementTest.cpp - Data movement -----------------------------------===//
//
// Small tensors whose elements tell where they came from.
//
//===----------------------------------------------------------------------===//

#include "TestProgram.h"

#include "gtest/gtest.h"

using namespace qopt;
using namespace qopt::test;

using Ints = std::vector<int32_t>;

static Ints iota(int count) {
  Ints values(count);
  for (int i = 0; i < count; ++i)
    values[i] = i;
  return values;
}

/// A program of one op on `%x` and further arguments, all ranks known.
static Program program(const std::string &arguments, const std::string &op,
                       const std::string &types, const std::string &result) {
  return Program("(" + arguments + ") -> " + result + " { %0 = qopt." + op +
                 " : (" + types + ") -> " + result + " return %0 : " + result +
                 " }");
}

TEST(Movement, Reshape) {
  Program reshape =
      program("%x: tensor<?x?xi32>, %s: tensor<3xi64>", "reshape %x, %s",
              "tensor<?x?xi32>, tensor<3xi64>", "tensor<?x?x?xi32>");
  HostTensor y = reshape.get({i32({4, 3}, iota(12)), i64({3}, {0, -1, 1})});
  EXPECT_EQ(y.getDims(), (llvm::ArrayRef<int64_t>{4, 3, 1}));
  EXPECT_EQ(valuesOf<int32_t>(y), iota(12));
  EXPECT_EQ(reshape.fail({i32({4, 3}, iota(12)), i64({3}, {5, -1, 1})}),
            "'qopt.reshape' op cannot give 4x3 the dims 5x2x1");
}

TEST(Movement, Transpose) {
  Program transpose = program("%x: tensor<2x3x2xi32>",
                              "transpose %x {perm = array<i64: 2, 0, 1>}",
                              "tensor<2x3x2xi32>", "tensor<2x2x3xi32>");
  EXPECT_EQ(valuesOf<int32_t>(transpose.get({i32({2, 3, 2}, iota(12))})),
            (Ints{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}));
}

TEST(Movement, Slice) {
  Program slice =
      program("%x: tensor<?x4xi32>, %b: tensor<2xi64>, %e: tensor<2xi64>, %s: "
              "tensor<2xi64>",
              "slice %x, %b, %e, %s {axes = array<i64: 1, 0>}",
              "tensor<?x4xi32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>",
              "tensor<?x?xi32>");
  // Columns from the last one backwards by 2; rows from the second to the end.
  EXPECT_EQ(valuesOf<int32_t>(
                slice.get({i32({3, 4}, iota(12)), i64({2}, {-1, 1}),
                           i64({2}, {-100, INT64_MAX}), i64({2}, {-2, 1})})),
            (Ints{7, 5, 11, 9}));
  HostTensor none = slice.get({i32({3, 4}, iota(12)), i64({2}, {3, 0}),
                               i64({2}, {1, 3}), i64({2}, {1, 1})});
  EXPECT_EQ(none.getDims(), (llvm::ArrayRef<int64_t>{3, 0}));
}

TEST(Movement, ConcatAndSplit) {
  Program concat =
      program("%x: tensor<2x?xi32>, %y: tensor<2x?xi32>",
              "concat %x, %y {axis = 1 : i64}",
              "tensor<2x?xi32>, tensor<2x?xi32>", "tensor<2x?xi32>");
  EXPECT_EQ(valuesOf<int32_t>(
                concat.get({i32({2, 2}, {0, 1, 2, 3}), i32({2, 1}, {8, 9})})),
            (Ints{0, 1, 8, 2, 3, 9}));
  Program split(
      "(%x: tensor<2x?xi32>) -> (tensor<2x1xi32>, tensor<2x2xi32>) {"
      "%0:2 = qopt.split %x {axis = 1 : i64, sizes = array<i64: 1, 2>}"
      " : (tensor<2x?xi32>) -> (tensor<2x1xi32>, tensor<2x2xi32>)"
      " return %0#0, %0#1 : tensor<2x1xi32>, tensor<2x2xi32> }");
  auto parts = split.run({i32({2, 3}, iota(6))});
  EXPECT_EQ(valuesOf<int32_t>(parts[0]), (Ints{0, 3}));
  EXPECT_EQ(valuesOf<int32_t>(parts[1]), (Ints{1, 2, 4, 5}));
  EXPECT_EQ(split.fail({i32({2, 4}, iota(8))}),
            "'qopt.split' op the sizes of the parts do not sum to the dim");
}

TEST(Movement, Gather) {
  Program gather = program("%x: tensor<2x3xi32>, %i: tensor<?xi64>",
                           "gather %x, %i {axis = 1 : i64}",
                           "tensor<2x3xi32>, tensor<?xi64>", "tensor<2x?xi32>");
  EXPECT_EQ(
      valuesOf<int32_t>(gather.get({i32({2, 3}, iota(6)), i64({2}, {-1, 0})})),
      (Ints{2, 0, 5, 3}));
  EXPECT_EQ(gather.fail({i32({2, 3}, iota(6)), i64({1}, {3})}),
            "'qopt.gather' op an index is out of range of axis 1, which is "
            "from -3 to 2");
}

TEST(Movement, AxesOfSizeOne) {
  Program axes("(%x: tensor<1x3x1xi32>) -> tensor<3x1x1xi32> {"
               "%0 = qopt.squeeze %x {axes = array<i64: 0, 2>} : "
               "(tensor<1x3x1xi32>) -> tensor<3xi32>"
               "%1 = qopt.unsqueeze %0 {axes = array<i64: 1, 2>} : "
               "(tensor<3xi32>) -> tensor<3x1x1xi32>"
               " return %1 : tensor<3x1x1xi32> }");
  EXPECT_EQ(valuesOf<int32_t>(axes.get({i32({1, 3, 1}, iota(3))})), iota(3));
}

TEST(Movement, ExpandAndFlatten) {
  Program expand("(%x: tensor<3x1xi32>, %s: tensor<2xi64>) -> tensor<?x?xi32> {"
                 "%0 = qopt.expand %x, %s : (tensor<3x1xi32>, tensor<2xi64>) "
                 "-> tensor<?x?xi32>"
                 "%1 = qopt.flatten %0 {axis = 2 : i64} : (tensor<?x?xi32>) -> "
                 "tensor<?x?xi32>"
                 " return %1 : tensor<?x?xi32> }");
  HostTensor y = expand.get({i32({3, 1}, iota(3)), i64({2}, {1, 2})});
  EXPECT_EQ(y.getDims(), (llvm::ArrayRef<int64_t>{6, 1}));
  EXPECT_EQ(valuesOf<int32_t>(y), (Ints{0, 0, 1, 1, 2, 2}));
}

TEST(Movement, ShapeFillAndRange) {
  Program shapes(
      "(%x: tensor<?x?x?xi32>) -> (tensor<2xi64>, tensor<?x?xf32>, "
      "tensor<?xi64>) {"
      "%0 = qopt.shape %x {start = 1 : i64, end = 3 : i64} : "
      "(tensor<?x?x?xi32>) -> tensor<2xi64>"
      "%1 = qopt.constant_of_shape %0 {value = dense<2.5> : tensor<1xf32>} : "
      "(tensor<2xi64>) -> tensor<?x?xf32>"
      "%s = qopt.constant(dense<7> : tensor<i64>) : tensor<i64>  %l = "
      "qopt.constant(dense<0> : tensor<i64>) : tensor<i64>  %d = "
      "qopt.constant(dense<-3> : tensor<i64>) : tensor<i64>"
      "%2 = qopt.range %s, %l, %d : (tensor<i64>, tensor<i64>, tensor<i64>) -> "
      "tensor<?xi64>"
      " return %0, %1, %2 : tensor<2xi64>, tensor<?x?xf32>, tensor<?xi64> }");
  auto outputs = shapes.run({i32({4, 2, 1}, iota(8))});
  EXPECT_EQ(valuesOf<int64_t>(outputs[0]), (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(valuesOf<float>(outputs[1]), (std::vector<float>{2.5f, 2.5f}));
  EXPECT_EQ(valuesOf<int64_t>(outputs[2]), (std::vector<int64_t>{7, 4, 1}));
}

TEST(Movement, Pad) {
  Program pad = program("%x: tensor<?x2xi32>, %v: tensor<i32>",
                        "pad %x, %v {pads = array<i64: 1, 0, 0, 1>}",
                        "tensor<?x2xi32>, tensor<i32>", "tensor<?x3xi32>");
  EXPECT_EQ(valuesOf<int32_t>(pad.get({i32({2, 2}, iota(4)), i32({}, {9})})),
            (Ints{9, 9, 9, 0, 1, 9, 2, 3, 9}));
  EXPECT_EQ(valuesOf<int32_t>(pad.get({i32({0, 2}, {}), i32({}, {9})})),
            (Ints{9, 9, 9}));
}
