//===- ReportTest.cpp - Errors, ranges and the files of a report ----------===//
//
// The schema itself is checked on real reports by a Python test.
//
//===----------------------------------------------------------------------===//

#include "Programs.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace qopt;
using namespace qopt::test;

static const TensorError *findError(const Report &report, llvm::StringRef node,
                                    llvm::StringRef tensor) {
  for (const TensorError &row : report.errors)
    if (row.node == node && row.tensor == tensor)
      return &row;
  return nullptr;
}

TEST(Report, HoldsTheErrorOfEachQuantizedTensor) {
  Report report = compileDigits("w8a8", Phase::Quantize);
  for (llvm::StringRef node : {"/conv_0", "/conv_3", "/conv_6", "/gemm_15"}) {
    const TensorError *weight = findError(report, node, "weight");
    ASSERT_TRUE(weight) << node.str();
    EXPECT_EQ(weight->format, "i8");
    EXPECT_GT(weight->sqnrInDecibels, 35);
    EXPECT_LT(weight->sqnrInDecibels, 70);
    EXPECT_GT(*weight->cosine, 0.999);
    const TensorError *activation = findError(report, node, "activation");
    ASSERT_TRUE(activation) << node.str();
    EXPECT_GT(activation->sqnrInDecibels, 20);
    EXPECT_FALSE(activation->cosine);
  }
}

TEST(Report, DynamicActivationsHaveNoRow) {
  Report report = compileDigits("mxfp4", Phase::Quantize);
  EXPECT_TRUE(findError(report, "/conv_0", "weight"));
  EXPECT_FALSE(findError(report, "/conv_0", "activation"));
  EXPECT_TRUE(report.ranges.empty());
}

TEST(Report, HoldsCalibratedRanges) {
  Report report = compileDigits("w8a8", Phase::Quantize);
  auto input = llvm::find_if(report.ranges, [](const TensorRange &range) {
    return range.node == "x";
  });
  ASSERT_NE(input, report.ranges.end());
  EXPECT_EQ(input->min, 0);
  EXPECT_EQ(input->max, 1);
  EXPECT_EQ(input->samples, 1);
}

TEST(Report, AnExactTensorHasNoRatio) {
  Report report;
  report.errors.push_back(
      {"a", "weight", "i8", std::numeric_limits<double>::infinity(), 1.0});
  const llvm::json::Value value = report.toJson();
  const llvm::json::Object *row =
      value.getAsObject()->getArray("errors")->front().getAsObject();
  EXPECT_EQ(*row->get("sqnr_db"), llvm::json::Value(nullptr));
  EXPECT_EQ(*row->getNumber("cosine"), 1);
}

TEST(Report, EscapesNamesInHtml) {
  Report report;
  report.model = "<script>alert(\"&\")</script>";
  std::string html = report.toHtml();
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(&quot;&amp;&quot;)"),
            std::string::npos);
}

TEST(Report, IsWrittenIntoAFolderThatIsMade) {
  TemporaryFolder folder;
  Report report;
  report.model = "m.onnx";
  ASSERT_FALSE(bool(report.write(folder.file("a/b"))));
  auto text = llvm::MemoryBuffer::getFile(folder.file("a/b/report.json"));
  ASSERT_TRUE(bool(text));
  auto parsed = llvm::json::parse((*text)->getBuffer());
  ASSERT_TRUE(bool(parsed));
  EXPECT_EQ(*parsed->getAsObject()->getInteger("version"), kReportVersion);
  EXPECT_TRUE(llvm::sys::fs::exists(folder.file("a/b/report.html")));
}
