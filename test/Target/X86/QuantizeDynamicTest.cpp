//===- QuantizeDynamicTest.cpp - Scales from the data, against Reference --===//
//
// Every format of blocks, along the lanes and across them, with short blocks.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "gtest/gtest.h"

using qopt::test::expectEqualToReference;

TEST(X86QuantizeDynamic, MakesAScaleForEachRow) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x3x?xf32>) -> (tensor<?x3x?xi8>, tensor<?x3x1xf32>) {
      %0, %1 = qopt.quantize_dynamic %x {format = #qopt.format<i8>}
        : (tensor<?x3x?xf32>) -> (tensor<?x3x?xi8>, tensor<?x3x1xf32>)
      return %0, %1 : tensor<?x3x?xi8>, tensor<?x3x1xf32>
    })mlir";
  for (int64_t size : {1, 16, 33, 400})
    expectEqualToReference(text, {5, size});
  expectEqualToReference(text, {0, 5});
  expectEqualToReference(text, {2, 0});
}

TEST(X86QuantizeDynamic, MakesAScaleForEachSample) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x3x?xf32>) -> (tensor<?x3x?xi8>, tensor<?x1x1xf32>) {
      %0, %1 = qopt.quantize_dynamic %x {format = #qopt.format<i8>, per = #qopt.per<sample>}
        : (tensor<?x3x?xf32>) -> (tensor<?x3x?xi8>, tensor<?x1x1xf32>)
      return %0, %1 : tensor<?x3x?xi8>, tensor<?x1x1xf32>
    })mlir";
  expectEqualToReference(text, {3, 77});
  expectEqualToReference(text, {2, 20000});
}

static std::string blocks(const std::string &format, const std::string &element,
                          const std::string &rule, int axis) {
  std::string codes = "tensor<3x70x37x" + element + ">";
  std::string scales = axis == 2   ? "tensor<3x70x2xf8E8M0FNU>"
                       : axis == 1 ? "tensor<3x3x37xf8E8M0FNU>"
                                   : "tensor<1x70x37xf8E8M0FNU>";
  return "func.func @main(%x: tensor<3x70x37xf32>) -> (" + codes + ", " +
         scales +
         ") {\n%0, %1 = qopt.quantize_dynamic %x {format = #qopt.format<\"" +
         format + "\", axis = " + std::to_string(axis) +
         ">, rule = #qopt.rule<" + rule + ">} : (tensor<3x70x37xf32>) -> (" +
         codes + ", " + scales + ")\nreturn %0, %1 : " + codes + ", " + scales +
         "\n}";
}

TEST(X86QuantizeDynamic, MakesBlocksOfEveryFormatAlongEveryAxis) {
  for (auto [format, element] :
       {std::pair("mxfp4", "f4E2M1FN"), std::pair("mxfp6-e2m3", "f6E2M3FN"),
        std::pair("mxfp6-e3m2", "f6E3M2FN"),
        std::pair("mxfp8-e4m3", "f8E4M3FN"), std::pair("mxfp8-e5m2", "f8E5M2"),
        std::pair("mxint8", "i8")})
    for (int axis : {0, 1, 2}) {
      SCOPED_TRACE(std::string(format) + " along " + std::to_string(axis));
      expectEqualToReference(blocks(format, element, "floor", axis));
    }
  for (const char *rule : {"ceil", "even"})
    expectEqualToReference(blocks("mxfp4", "f4E2M1FN", rule, 2));
}

TEST(X86QuantizeDynamic, MakesNvfp4OfRows) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x70xf32>) -> (tensor<?x70xf4E2M1FN>,
        tensor<?x5xf8E4M3FN>, tensor<?x1xf32>) {
      %0, %1, %2 = qopt.quantize_dynamic %x {format = #qopt.format<"nvfp4", axis = 1>}
        : (tensor<?x70xf32>) -> (tensor<?x70xf4E2M1FN>, tensor<?x5xf8E4M3FN>, tensor<?x1xf32>)
      return %0, %1, %2 : tensor<?x70xf4E2M1FN>, tensor<?x5xf8E4M3FN>, tensor<?x1xf32>
    })mlir";
  expectEqualToReference(text, {300});
  expectEqualToReference(text, {0});
}

TEST(X86QuantizeDynamic, MakesNvfp4OfSamples) {
  for (auto [axis, scales] :
       {std::pair("1", "?x5x?"), std::pair("2", "?x70x?")}) {
    std::string x = "tensor<?x70x?xf32>";
    std::string made = "tensor<?x70x?xf4E2M1FN>, tensor<" +
                       std::string(scales) + "xf8E4M3FN>, tensor<?x1x1xf32>";
    std::string text = "func.func @main(%x: " + x + ") -> (" + made +
                       ") {\n%r:3 = qopt.quantize_dynamic %x {format = "
                       "#qopt.format<nvfp4, axis = " +
                       axis + ">, per = #qopt.per<sample>} : (" + x + ") -> (" +
                       made + ")\nreturn %r#0, %r#1, %r#2 : " + made + "\n}";
    expectEqualToReference(text, {3, 37});
    expectEqualToReference(text, {2, 300});
    // A sample without elements still has a scale.
    expectEqualToReference(text, {2, 0});
  }
}
