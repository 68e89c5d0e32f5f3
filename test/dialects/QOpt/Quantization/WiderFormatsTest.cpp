//===- WiderFormatsTest.cpp - Plans in 8 bits instead of fewer ------------===//
//
// Which requests have a wider one, and where blocks of another size do not fit.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/WiderFormats.h"
#include "dialects/QOpt/IR/QOptDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;

namespace {
struct WiderFormatsTest : testing::Test {
  WiderFormatsTest() { context.loadDialect<QOptDialect, func::FuncDialect>(); }

  /// The convolution of a function, with a request.
  Operation *parse(StringRef request, int64_t groups = 1) {
    std::string channels = std::to_string(64 / groups);
    std::string text =
        "func.func @main(%x: tensor<1x64x8x8xf32>, %w: tensor<64x" + channels +
        "x1x1xf32>) -> tensor<1x64x8x8xf32> {\n"
        "  %y = qopt.conv %x, %w {group = " +
        std::to_string(groups) +
        " : i64, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, "
        "dilations = array<i64: 1, 1>, qopt.request = "
        "#qopt.request<" +
        request.str() + ">} : (tensor<1x64x8x8xf32>, tensor<64x" + channels +
        "x1x1xf32>) -> tensor<1x64x8x8xf32>\n"
        "  return %y : tensor<1x64x8x8xf32>\n}";
    module = parseSourceString<ModuleOp>(text, &context);
    Operation *conv = nullptr;
    if (module)
      module->walk([&](ConvOp op) { conv = op; });
    return conv;
  }

  std::string widen(StringRef request, int64_t groups = 1) {
    Operation *conv = parse(request, groups);
    EXPECT_TRUE(conv);
    RequestAttr wide = conv ? widenRequest(conv) : RequestAttr();
    if (!wide)
      return "";
    std::string text;
    llvm::raw_string_ostream(text) << Attribute(wide);
    return text;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};
} // namespace

TEST_F(WiderFormatsTest, TakesIntegersInBlocksForFloats) {
  for (StringRef narrow : {"mxfp4", "mxfp6-e2m3", "mxfp6-e3m2", "nvfp4"})
    EXPECT_EQ(widen(("params = dynamic, act = <\"" + narrow +
                     "\", axis = 1>, weight = <\"" + narrow + "\", axis = 1>")
                        .str()),
              "#qopt.request<params = dynamic, act = <mxint8, axis = 1>, "
              "weight = <mxint8, axis = 1>>")
        << narrow.str();
}

TEST_F(WiderFormatsTest, KeepsGroupsAndScalesOfIntegers) {
  EXPECT_EQ(widen("params = \"weight-only\", weight = <ui4, axis = 1, block = "
                  "32, scale = f16, zero = ui4>"),
            "#qopt.request<params = \"weight-only\", weight = <i8, axis = 1, "
            "block = 32, scale = f16>>");
}

TEST_F(WiderFormatsTest, LeavesWhatHasEightBits) {
  EXPECT_EQ(widen("params = dynamic, act = <i8>, weight = <i8, axis = 0>"), "");
  EXPECT_EQ(widen("params = dynamic, act = <\"mxfp8-e5m2\", axis = 1>, weight "
                  "= <\"mxfp8-e5m2\", axis = 1>"),
            "");
  EXPECT_EQ(widen("params = float"), "");
  EXPECT_EQ(widen("params = dynamic, act = <i8>, weight = <i4, axis = 0>"),
            "#qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = "
            "0>>");
}

TEST_F(WiderFormatsTest, KeepsBlocksThatFitGroupsOfChannels) {
  StringRef request = "params = dynamic, act = <nvfp4, axis = 1>, weight = "
                      "<nvfp4, axis = 1>";
  // Sixteen channels a group hold a block of 16, and none of 32.
  EXPECT_EQ(widen(request, /*groups=*/4), "");
  // Blocks of depthwise convolutions run along all channels.
  EXPECT_NE(widen(request, /*groups=*/64), "");
}
