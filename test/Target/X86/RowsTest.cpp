//===- RowsTest.cpp - Norms, softmax, sums and pools against Reference ----===//
//
// The order of sums shows in the last bits, so rows are longer than the 16
// partial sums and not a multiple of them.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "gtest/gtest.h"
#include <random>

using qopt::test::expectEqualToReference;

/// Every block that has a kernel, and two that have the generic one.
TEST(X86Rows, HadamardOfEveryBlock) {
  for (int64_t block : {2, 8, 16, 32, 64, 128, 256, 512})
    for (int64_t blocks : {0, 1, 3}) {
      std::string type = "tensor<?x" + std::to_string(block * blocks) + "xf32>";
      std::string text =
          "func.func @main(%x: " + type + ") -> " + type +
          " { %0 = qopt.hadamard %x {block = " + std::to_string(block) +
          " : i64} : (" + type + ") -> " + type + " return %0 : " + type + " }";
      expectEqualToReference(text.c_str(), {7});
    }
}

TEST(X86Rows, TakesSoftmaxAlongTheLastAxis) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
      %0 = qopt.softmax %x {axis = -1 : i64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
      return %0 : tensor<?x?xf32>
    })mlir";
  for (int64_t size : {0, 1, 15, 16, 17, 33, 200})
    expectEqualToReference(text, {5, size});
  expectEqualToReference(text, {700, 50});
}

TEST(X86Rows, TakesSoftmaxAlongOtherAxes) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<3x?x?xf32>) -> (tensor<3x?x?xf32>, tensor<3x?x?xf32>) {
      %0 = qopt.softmax %x {axis = 1 : i64} : (tensor<3x?x?xf32>) -> tensor<3x?x?xf32>
      %1 = qopt.softmax %x {axis = 0 : i64} : (tensor<3x?x?xf32>) -> tensor<3x?x?xf32>
      return %0, %1 : tensor<3x?x?xf32>, tensor<3x?x?xf32>
    })mlir";
  expectEqualToReference(text, {37, 19});
  expectEqualToReference(text, {1, 1});
}

TEST(X86Rows, NormalizesLayers) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x3x?xf32>, %s: tensor<?xf32>, %b: tensor<3x?xf32>)
        -> (tensor<?x3x?xf32>, tensor<?x3x?xf32>) {
      %0 = qopt.layer_norm %x, %s {axis = -1 : i64, epsilon = 1.0e-5 : f32}
        : (tensor<?x3x?xf32>, tensor<?xf32>) -> tensor<?x3x?xf32>
      %1 = qopt.layer_norm %x, %s, %b {axis = 1 : i64, epsilon = 1.0e-5 : f32}
        : (tensor<?x3x?xf32>, tensor<?xf32>, tensor<3x?xf32>) -> tensor<?x3x?xf32>
      return %0, %1 : tensor<?x3x?xf32>, tensor<?x3x?xf32>
    })mlir";
  for (int64_t size : {1, 16, 33, 384})
    expectEqualToReference(text, {5, size, size, size});
}

TEST(X86Rows, HasEpilogues) {
  expectEqualToReference(R"mlir(
    func.func @main(%x: tensor<?x40xf32>, %s: tensor<40xf32> {test.constant},
                    %b: tensor<40xf32> {test.constant}, %r: tensor<?x40xf32>)
        -> tensor<?x40xf16> {
      %0 = qkernel.rows(%x, %s, %b, %r) : (tensor<?x40xf32>, tensor<40xf32>,
          tensor<40xf32>, tensor<?x40xf32>) -> tensor<?x40xf16>
          (%a: tensor<?x40xf32>, %c: tensor<40xf32>, %d: tensor<40xf32>, %e: tensor<?x40xf32>) {
        %1 = qopt.layer_norm %a, %c, %d {axis = -1 : i64, epsilon = 1.0e-5 : f32}
          : (tensor<?x40xf32>, tensor<40xf32>, tensor<40xf32>) -> tensor<?x40xf32>
        %2 = qopt.add %1, %e : (tensor<?x40xf32>, tensor<?x40xf32>) -> tensor<?x40xf32>
        %3 = qopt.cast %2 : (tensor<?x40xf32>) -> tensor<?x40xf16>
        qkernel.yield %3 : tensor<?x40xf16>
      }
      return %0 : tensor<?x40xf16>
    })mlir",
                         {7, 7});
}

static std::string reduce(const std::string &kind, const std::string &axes,
                          const std::string &element,
                          const std::string &result) {
  return "func.func @main(%x: tensor<?x?x?x" + element + ">) -> tensor<" +
         result + element + "> {\n%0 = qopt.reduce %x {kind = #qopt.kind<" +
         kind + ">, axes = array<i64: " + axes +
         ">, keepdims = false} : (tensor<?x?x?x" + element + ">) -> tensor<" +
         result + element + ">\nreturn %0 : tensor<" + result + element +
         ">\n}";
}

TEST(X86Rows, ReducesAnyAxes) {
  for (const char *kind : {"sum", "mean", "l2", "max", "min", "prod"})
    for (auto [axes, result] :
         {std::pair("2", "?x?x"), std::pair("1", "?x?x"),
          std::pair("0", "?x?x"), std::pair("0, 1", "?x"),
          std::pair("0, 2", "?x"), std::pair("1, 2", "?x"),
          std::pair("0, 1, 2", "")}) {
      SCOPED_TRACE(std::string(kind) + " over " + axes);
      std::string text = reduce(kind, axes, "f32", result);
      expectEqualToReference(text, {5, 19, 35});
    }
}

TEST(X86Rows, ReducesIntegers) {
  for (const char *kind : {"sum", "mean", "max", "min", "prod"})
    for (const char *element : {"i64", "i32", "i8"})
      for (const char *axes : {"1", "2"}) {
        SCOPED_TRACE(std::string(kind) + " of " + element);
        expectEqualToReference(reduce(kind, axes, element, "?x?x"),
                               {3, 19, 21});
      }
}

TEST(X86Rows, ReducesNothing) {
  expectEqualToReference(reduce("sum", "1", "f32", "?x?x"), {3, 0, 5});
  expectEqualToReference(reduce("prod", "2", "f32", "?x?x"), {3, 2, 0});
  expectEqualToReference(reduce("max", "0", "f32", "?x?x"), {0, 2, 3});
  for (const char *kind : {"max", "min", "mean"})
    for (const char *element : {"i64", "i32", "i8", "ui8", "ui32"})
      for (const char *axes : {"1", "2"}) {
        SCOPED_TRACE(std::string(kind) + " of " + element);
        expectEqualToReference(
            reduce(kind, axes, element, "?x?x"),
            {3, axes[0] == '1' ? 0 : 21, axes[0] == '1' ? 21 : 0});
      }
}

TEST(X86Rows, AveragesPlanes) {
  expectEqualToReference(R"mlir(
    func.func @main(%x: tensor<?x3x?x7xf32>) -> (tensor<?x3x1x1xf32>, tensor<?x3xf32>) {
      %0 = qopt.global_average_pool %x : (tensor<?x3x?x7xf32>) -> tensor<?x3x1x1xf32>
      %1 = qopt.reduce %x {kind = #qopt.kind<mean>, axes = array<i64: 2, 3>, keepdims = false}
        : (tensor<?x3x?x7xf32>) -> tensor<?x3xf32>
      return %0, %1 : tensor<?x3x1x1xf32>, tensor<?x3xf32>
    })mlir",
                         {2, 9});
}

TEST(X86Pool, TakesMaximaAndMeansOfWindows) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x3x?x20xf32>, %c: tensor<2x3x9x?xi8>, %l: tensor<2x3x19xf32>)
        -> (tensor<?x3x?x10xf32>, tensor<?x3x?x20xf32>, tensor<2x3x4x?xi8>,
            tensor<?x3x?x9xf32>, tensor<2x3x10xf32>) {
      %0 = qopt.max_pool %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>,
          pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, ceil_mode = false}
        : (tensor<?x3x?x20xf32>) -> tensor<?x3x?x10xf32>
      %1 = qopt.average_pool %x {kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>,
          pads = array<i64: 1, 1, 1, 1>, ceil_mode = false, count_include_pad = true}
        : (tensor<?x3x?x20xf32>) -> tensor<?x3x?x20xf32>
      %2 = qopt.max_pool %c {kernel = array<i64: 2, 2>, strides = array<i64: 2, 1>,
          pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 2>, ceil_mode = false}
        : (tensor<2x3x9x?xi8>) -> tensor<2x3x4x?xi8>
      %3 = qopt.average_pool %x {kernel = array<i64: 2, 4>, strides = array<i64: 2, 2>,
          pads = array<i64: 0, 0, 0, 0>, ceil_mode = true, count_include_pad = false}
        : (tensor<?x3x?x20xf32>) -> tensor<?x3x?x9xf32>
      %4 = qopt.max_pool %l {kernel = array<i64: 3>, strides = array<i64: 2>,
          pads = array<i64: 1, 1>, dilations = array<i64: 1>, ceil_mode = false}
        : (tensor<2x3x19xf32>) -> tensor<2x3x10xf32>
      return %0, %1, %2, %3, %4 : tensor<?x3x?x10xf32>, tensor<?x3x?x20xf32>,
        tensor<2x3x4x?xi8>, tensor<?x3x?x9xf32>, tensor<2x3x10xf32>
    })mlir";
  expectEqualToReference(text, {2, 13, 41});
  expectEqualToReference(text, {1, 5, 9});
}

TEST(X86Pool, TilesImagesOfKnownSize) {
  // Rows of 4, 16, 1 and 3 outputs: parts of a vector, one, and none.
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x3x8x8xf32>, %c: tensor<?x3x6x32xi8>, %l: tensor<?x5x4xf32>, %o: tensor<?x2x4x9xf32>)
        -> (tensor<?x3x4x4xf32>, tensor<?x3x4x4xf32>, tensor<?x3x3x16xi8>, tensor<?x5x1xf32>, tensor<?x2x2x3xf32>) {
      %0 = qopt.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>,
          pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false}
        : (tensor<?x3x8x8xf32>) -> tensor<?x3x4x4xf32>
      %1 = qopt.average_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>,
          pads = array<i64: 0, 0, 0, 0>, ceil_mode = false, count_include_pad = false}
        : (tensor<?x3x8x8xf32>) -> tensor<?x3x4x4xf32>
      %2 = qopt.max_pool %c {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>,
          pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false}
        : (tensor<?x3x6x32xi8>) -> tensor<?x3x3x16xi8>
      %3 = qopt.average_pool %l {kernel = array<i64: 4>, strides = array<i64: 4>,
          pads = array<i64: 0, 0>, ceil_mode = false, count_include_pad = true}
        : (tensor<?x5x4xf32>) -> tensor<?x5x1xf32>
      %4 = qopt.max_pool %o {kernel = array<i64: 2, 3>, strides = array<i64: 2, 3>,
          pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false}
        : (tensor<?x2x4x9xf32>) -> tensor<?x2x2x3xf32>
      return %0, %1, %2, %3, %4 : tensor<?x3x4x4xf32>, tensor<?x3x4x4xf32>, tensor<?x3x3x16xi8>, tensor<?x5x1xf32>, tensor<?x2x2x3xf32>
    })mlir";
  expectEqualToReference(text, {1, 1, 1, 1});
  expectEqualToReference(text, {7, 3, 7, 5});
  expectEqualToReference(text, {300, 40, 3, 3});
  expectEqualToReference(text, {0, 0, 0, 0});
}

TEST(X86Rows, TakesTheFirstOfTwoZeros) {
  // Few zeros, of both signs, among numbers that are never the result.
  auto values = [](int count, const char *other) {
    std::mt19937 random(1);
    std::string bytes;
    for (int i = 0; i < count; ++i) {
      unsigned kind = random() % 16;
      bytes += kind == 0 ? "00000080" : kind == 1 ? "00000000" : other;
    }
    return bytes;
  };
  for (auto [axes, result] : {std::pair("0", "37x67"), std::pair("1", "39x67"),
                              std::pair("2", "39x37"), std::pair("1, 2", "39"),
                              std::pair("0, 1", "67"), std::pair("0, 2", "37")})
    for (auto [kind, other] :
         {std::pair("max", "000080bf"), std::pair("min", "0000803f")}) {
      SCOPED_TRACE(std::string(kind) + " over " + axes);
      std::string type = std::string("tensor<") + result + "xf32>";
      expectEqualToReference(
          "func.func @main() -> " + type +
          " {\n%x = qopt.constant(#qopt.weight<\"hex:" +
          values(39 * 37 * 67, other) +
          "\">) : tensor<39x37x67xf32>\n%0 = qopt.reduce %x {kind = "
          "#qopt.kind<" +
          kind + ">, axes = array<i64: " + axes +
          ">, keepdims = false} : (tensor<39x37x67xf32>) -> " + type +
          "\nreturn %0 : " + type + "\n}");
    }
  expectEqualToReference("func.func @main() -> tensor<2x3x10x20xf32> {\n"
                         "%x = qopt.constant(#qopt.weight<\"hex:" +
                         values(2 * 3 * 20 * 40, "000080bf") +
                         R"mlir(">) : tensor<2x3x20x40xf32>
      %0 = qopt.max_pool %x {kernel = array<i64: 5, 5>, strides = array<i64: 2, 2>,
          pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 1, 1>, ceil_mode = false}
        : (tensor<2x3x20x40xf32>) -> tensor<2x3x10x20xf32>
      return %0 : tensor<2x3x10x20xf32>
    })mlir");
}
