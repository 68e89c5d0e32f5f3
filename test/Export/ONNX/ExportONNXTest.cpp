//===- ExportONNXTest.cpp - Programs as ONNX models -------------*- C++ -*-===//
//
// What the file says of itself, and what is refused. The integration tests
// compare the numbers with ONNX Runtime's.
//
//===----------------------------------------------------------------------===//

#include "qopt/Export/ONNX/ExportONNX.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "lib/Export/ONNX/OpForms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace mlir;
using namespace qopt;

namespace {
class ExportONNXTest : public testing::Test {
protected:
  ExportONNXTest() {
    context.loadDialect<QOptDialect, func::FuncDialect>();
    context.printOpOnDiagnostic(false);
  }

  /// The model of a program; `problems` receives what was reported.
  std::optional<onnx::ModelProto> write(StringRef program,
                                        OnnxExportOptions options = {}) {
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      problems += diagnostic.str() + "\n";
      for (Diagnostic &note : diagnostic.getNotes())
        problems += "note: " + note.str() + "\n";
      return success();
    });
    auto module = parseSourceString<ModuleOp>(program, &context);
    EXPECT_TRUE(module) << problems;
    FailureOr<std::string> bytes = exportOnnxModel(*module, options);
    onnx::ModelProto model;
    if (failed(bytes))
      return std::nullopt;
    EXPECT_TRUE(model.ParseFromString(*bytes));
    return model;
  }

  MLIRContext context;
  std::string problems;
};
} // namespace

/// @main that returns the result of `body`, a function of `%x`.
static std::string makeProgram(StringRef type, StringRef body,
                               StringRef resultType) {
  return ("func.func @main(%x: tensor<" + type + ">) -> tensor<" + resultType +
          "> {\n" + body + "\n  return %y : tensor<" + resultType + ">\n}\n")
      .str();
}

TEST_F(ExportONNXTest, EveryOpOfTheImporterHasAForm) {
  // Ops on codes, those that only phases make, those of loops and of sequences.
  static constexpr llvm::StringLiteral without[] = {"qopt.constant",
                                                    "qopt.divide_round",
                                                    "qopt.fma",
                                                    "qopt.lookup",
                                                    "qopt.observe",
                                                    "qopt.requantize",
                                                    "qopt.shift",
                                                    "qopt.arg_reduce",
                                                    "qopt.cum_prod",
                                                    "qopt.cum_sum",
                                                    "qopt.depth_to_space",
                                                    "qopt.gather_elements",
                                                    "qopt.gather_nd",
                                                    "qopt.grid_sample",
                                                    "qopt.instance_norm",
                                                    "qopt.non_max_suppression",
                                                    "qopt.non_zero",
                                                    "qopt.one_hot",
                                                    "qopt.reverse_sequence",
                                                    "qopt.scatter_elements",
                                                    "qopt.scatter_nd",
                                                    "qopt.space_to_depth",
                                                    "qopt.tile",
                                                    "qopt.top_k",
                                                    "qopt.trilu",
                                                    "qopt.concat_from_sequence",
                                                    "qopt.optional",
                                                    "qopt.optional_get_element",
                                                    "qopt.optional_has_element",
                                                    "qopt.sequence_at",
                                                    "qopt.sequence_construct",
                                                    "qopt.sequence_erase",
                                                    "qopt.sequence_insert",
                                                    "qopt.sequence_length",
                                                    "qopt.split_to_sequence"};
  size_t count = 0;
  for (RegisteredOperationName name : context.getRegisteredOperations()) {
    StringRef op = name.getStringRef();
    if (!op.starts_with("qopt."))
      continue;
    EXPECT_EQ(exporter::lookupForm(op) == nullptr,
              llvm::is_contained(without, op))
        << op.str();
    count += llvm::is_contained(without, op);
  }
  EXPECT_EQ(count, std::size(without));
}

TEST_F(ExportONNXTest, NamesAndDimsAreKept) {
  auto model = write(R"(module attributes {
      qopt.nodes = [#qopt.node_info<0, "/r", "Relu">]} {
    func.func @main(%x: tensor<?x?x3xf32> {qopt.name = "pixels", qopt.dims = ["n", "", ""]})
        -> (tensor<?x?x3xf32> {qopt.name = "scores", qopt.dims = ["n", "", ""]}) {
      %y = qopt.relu %x : (tensor<?x?x3xf32>) -> tensor<?x?x3xf32> loc(fused<#qopt.node<0>>["/r"])
      return %y : tensor<?x?x3xf32>
    }
  })",
                     {{{"key", "value"}}});
  ASSERT_TRUE(model) << problems;
  const onnx::GraphProto &graph = model->graph();
  EXPECT_EQ(graph.input(0).name(), "pixels");
  EXPECT_EQ(graph.output(0).name(), "scores");
  EXPECT_EQ(graph.node(0).name(), "/r");
  for (const onnx::ValueInfoProto &info : {graph.input(0), graph.output(0)}) {
    const onnx::TensorShapeProto &shape = info.type().tensor_type().shape();
    ASSERT_EQ(shape.dim_size(), 3);
    EXPECT_EQ(shape.dim(0).dim_param(), "n");
    EXPECT_EQ(shape.dim(1).value_case(),
              onnx::TensorShapeProto::Dimension::VALUE_NOT_SET);
    EXPECT_EQ(shape.dim(2).dim_value(), 3);
  }
  EXPECT_EQ(model->metadata_props(0).value(), "value");
}

TEST_F(ExportONNXTest, OutputsThatNoNodeMakesGoThroughIdentity) {
  auto model = write(R"(
    func.func @main(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<1xf32>) {
      %y = qopt.relu %x : (tensor<3xf32>) -> tensor<3xf32>
      %c = qopt.constant(dense<2.0> : tensor<1xf32>) : tensor<1xf32>
      return %x, %y, %y, %c : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<1xf32>
    })");
  ASSERT_TRUE(model) << problems;
  std::vector<std::string> operators;
  for (const onnx::NodeProto &node : model->graph().node())
    operators.push_back(node.op_type() + " " + node.output(0));
  EXPECT_EQ(operators,
            (std::vector<std::string>{"Relu result1", "Identity result0",
                                      "Identity result2", "Identity result3"}));
}

TEST_F(ExportONNXTest, TheOpsetIsTheLowestThatHasTheTypes) {
  struct {
    const char *format, *element;
    int64_t block, opset, irVersion;
  } const cases[] = {{"mxint8", "i8", 32, 24, 12},
                     {"mxfp8-e4m3", "f8E4M3FN", 32, 24, 12},
                     {"mxfp4", "f4E2M1FN", 32, 24, 12},
                     {"mxfp6-e2m3", "f6E2M3FN", 32, 28, 14}};
  for (auto &row : cases) {
    std::string types =
        ("tensor<2x64x" + Twine(row.element) + ">, tensor<2x2xf8E8M0FNU>")
            .str();
    std::string format =
        ("#qopt.format<\"" + Twine(row.format) + "\", axis = 1>").str();
    auto model = write(makeProgram(
        "2x64xf32",
        "%c, %s = qopt.quantize_dynamic %x {format = " + format +
            "} : (tensor<2x64xf32>) -> (" + types +
            ")\n%y = qopt.dequantize %c scales(%s) {format = " + format +
            "} : (" + types + ") -> tensor<2x64xf32>",
        "2x64xf32"));
    ASSERT_TRUE(model) << problems;
    EXPECT_EQ(model->opset_import(0).version(), row.opset) << row.format;
    EXPECT_EQ(model->ir_version(), row.irVersion) << row.format;
  }
  auto model = write(makeProgram(
      "2xf32", "%y = qopt.relu %x : (tensor<2xf32>) -> tensor<2xf32>",
      "2xf32"));
  ASSERT_TRUE(model) << problems;
  EXPECT_EQ(model->opset_import(0).version(), 21);
  EXPECT_EQ(model->ir_version(), 10);
}

TEST_F(ExportONNXTest, ScalesOfAnAxisAreAList) {
  auto model = write(makeProgram(
      "2x3xi8",
      R"(%s = qopt.constant(dense<[[1.0], [2.0]]> : tensor<2x1xf32>) : tensor<2x1xf32>
  %z = qopt.constant(dense<5> : tensor<1x1xi8>) : tensor<1x1xi8>
  %y = qopt.dequantize %x scales(%s) zeros(%z) {format = #qopt.format<i8, axis = 0>}
    : (tensor<2x3xi8>, tensor<2x1xf32>, tensor<1x1xi8>) -> tensor<2x3xf32>)",
      "2x3xf32"));
  ASSERT_TRUE(model) << problems;
  const onnx::GraphProto &graph = model->graph();
  ASSERT_EQ(graph.node_size(), 1);
  EXPECT_EQ(graph.node(0).attribute(0).name(), "axis");
  EXPECT_EQ(graph.node(0).attribute(0).i(), 0);
  ASSERT_EQ(graph.initializer_size(), 2);
  for (const onnx::TensorProto &tensor : graph.initializer()) {
    ASSERT_EQ(tensor.dims_size(), 1) << tensor.name();
    EXPECT_EQ(tensor.dims(0), 2) << tensor.name();
  }
  EXPECT_EQ(graph.initializer(1).raw_data(), "\5\5");
}

/// conv(x) + bias, then `tail`, whose last value is `%y`.
static std::string makeConvProgram(StringRef tail, StringRef resultType) {
  return makeProgram("1x1x4x4xi8",
                     (R"(
  %sx = qopt.constant(dense<0.5> : tensor<1x1x1x1xf32>) : tensor<1x1x1x1xf32>
  %z = qopt.constant(dense<0> : tensor<1x1x1x1xi8>) : tensor<1x1x1x1xi8>
  %r = qopt.dequantize %x scales(%sx) {format = #qopt.format<i8>}
    : (tensor<1x1x4x4xi8>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %c = qopt.constant(dense<1> : tensor<2x1x1x1xi8>) : tensor<2x1x1x1xi8>
  %sw = qopt.constant(dense<[[[[0.25]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>) : tensor<2x1x1x1xf32>
  %w = qopt.dequantize %c scales(%sw) {format = #qopt.format<i8, axis = 0>}
    : (tensor<2x1x1x1xi8>, tensor<2x1x1x1xf32>) -> tensor<2x1x1x1xf32>
  %b = qopt.constant(dense<[1.0, -2.5]> : tensor<2xf32>) : tensor<2xf32> loc("b")
  %s = qopt.conv %r, %w bias %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
)" + tail)
                         .str(),
                     resultType);
}

static constexpr llvm::StringLiteral kQuantizeTail = R"(
  %a = qopt.relu %s : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.quantize %a scales(%sx) zeros(%z) {format = #qopt.format<i8>}
    : (tensor<1x2x4x4xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<1x2x4x4xi8>)";

static const onnx::TensorProto *find(const onnx::ModelProto &model,
                                     StringRef name) {
  for (const onnx::TensorProto &tensor : model.graph().initializer())
    if (StringRef(tensor.name()) == name)
      return &tensor;
  return nullptr;
}

TEST_F(ExportONNXTest, ABiasOfCodesIsInStepsOfTheSum) {
  auto model = write(makeConvProgram(kQuantizeTail, "1x2x4x4xi8"));
  ASSERT_TRUE(model) << problems;
  EXPECT_EQ(find(*model, "b"), nullptr);
  const onnx::TensorProto *codes = find(*model, "b_quantized");
  const onnx::TensorProto *scale = find(*model, "b_scale");
  ASSERT_TRUE(codes && scale);
  EXPECT_EQ(codes->data_type(), onnx::TensorProto::INT32);
  int32_t integers[2];
  float steps[2];
  ASSERT_EQ(codes->raw_data().size(), sizeof(integers));
  ASSERT_EQ(scale->raw_data().size(), sizeof(steps));
  std::memcpy(integers, codes->raw_data().data(), sizeof(integers));
  std::memcpy(steps, scale->raw_data().data(), sizeof(steps));
  // 1 / 0.125, and -2.5 / 1 to even.
  EXPECT_EQ(integers[0], 8);
  EXPECT_EQ(integers[1], -2);
  EXPECT_EQ(steps[0], 0.125f);
  EXPECT_EQ(steps[1], 1.0f);
}

TEST_F(ExportONNXTest, ABiasOfRealsStaysReal) {
  // The sum is a result, or something else reads it too.
  std::string asReal = "  %y = qopt.abs %s : (tensor<1x2x4x4xf32>) -> "
                       "tensor<1x2x4x4xf32>";
  std::string twice = (kQuantizeTail + R"(
  %t = qopt.abs %s : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>)")
                          .str();
  for (auto &[tail, type] :
       {std::pair(asReal, "1x2x4x4xf32"), std::pair(twice, "1x2x4x4xi8")}) {
    auto model = write(makeConvProgram(tail, type));
    ASSERT_TRUE(model) << problems;
    EXPECT_NE(find(*model, "b"), nullptr);
    EXPECT_EQ(find(*model, "b_quantized"), nullptr);
  }
}

//===----------------------------------------------------------------------===//
// Refusals
//===----------------------------------------------------------------------===//

TEST_F(ExportONNXTest, MoreBytesThanAFileHoldsAreRefused) {
  std::string program = makeProgram("2xf32",
                                    R"(
  %c = qopt.constant(dense<[1.0, 2.0]> : tensor<2xf32>) : tensor<2xf32>
  %y = qopt.add %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>)",
                                    "2xf32");
  EXPECT_FALSE(write(program, {{}, 7}));
  EXPECT_NE(problems.find("needs more constants than the 7 bytes that one ONNX "
                          "file can hold\nnote: take a preset with fewer bits"),
            std::string::npos)
      << problems;
  problems.clear();
  EXPECT_FALSE(write(program, {{}, 8}));
  EXPECT_NE(problems.find("is larger than the 8 bytes"), std::string::npos)
      << problems;
  EXPECT_TRUE(write(program, {{}, 1000})) << problems;
}

TEST_F(ExportONNXTest, WhatHasNoFormIsNamed) {
  struct {
    std::string program;
    const char *problem;
  } const cases[] = {
      {makeProgram("2xi8", R"(
  %t = qopt.constant(dense<0> : tensor<256xi8>) : tensor<256xi8>
  %y = qopt.lookup %x, %t : (tensor<2xi8>, tensor<256xi8>) -> tensor<2xi8>)",
                   "2xi8"),
       "'qopt.lookup' op has no ONNX form\nnote: ops on codes come late"},
      {makeProgram("2x4xi8", R"(
  %w = qopt.constant(dense<1> : tensor<4x3xi8>) : tensor<4x3xi8>
  %y = qopt.matmul %x, %w : (tensor<2x4xi8>, tensor<4x3xi8>) -> tensor<2x3xi32>)",
                   "2x3xi32"),
       "'qopt.matmul' op computes on codes, which has no ONNX form"},
      {makeProgram("2x?xf32", R"(
  %c, %s = qopt.quantize_dynamic %x {format = #qopt.format<mxfp4, axis = 1>}
    : (tensor<2x?xf32>) -> (tensor<2x?xf4E2M1FN>, tensor<2x?xf8E8M0FNU>)
  %y = qopt.dequantize %c scales(%s) {format = #qopt.format<mxfp4, axis = 1>}
    : (tensor<2x?xf4E2M1FN>, tensor<2x?xf8E8M0FNU>) -> tensor<2x?xf32>)",
                   "2x?xf32"),
       "'qopt.quantize_dynamic' op makes blocks of mxfp4 along a dim of "
       "unknown "
       "size, which has no ONNX form\nnote: fix the dim in the model"},
      {makeProgram("2x4xf32", R"(
  %c, %y = qopt.quantize_dynamic %x {format = #qopt.format<i8>}
    : (tensor<2x4xf32>) -> (tensor<2x4xi8>, tensor<2x1xf32>))",
                   "2x1xf32"),
       "'qopt.quantize_dynamic' op has scales that other ops read"},
      {makeProgram("2x4xf32", R"(
  %s = qopt.constant(dense<[[1.0], [2.0]]> : tensor<2x1xf32>) : tensor<2x1xf32>
  %t = qopt.constant(dense<1.0> : tensor<1x4xf32>) : tensor<1x4xf32>
  %y = qopt.quantize %x scales(%s, %t) {format = #qopt.format<i8>}
    : (tensor<2x4xf32>, tensor<2x1xf32>, tensor<1x4xf32>) -> tensor<2x4xi8>)",
                   "2x4xi8"),
       "'qopt.quantize' op has scales along several axes"},
      {makeProgram("2x64xf32", R"(
  %c, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8, axis = 1, block = 32>}
    : (tensor<2x64xf32>) -> (tensor<2x64xi8>, tensor<2x2xf32>)
  %y = qopt.dequantize %c scales(%s) {format = #qopt.format<i8, axis = 1, block = 32>}
    : (tensor<2x64xi8>, tensor<2x2xf32>) -> tensor<2x64xf32>)",
                   "2x64xf32"),
       "'qopt.quantize_dynamic' op has no formula for i8"},
      {makeProgram("2x4xf32", R"(
  %c, %s = qopt.quantize_dynamic %x {format = #qopt.format<mxfp4, axis = 7>}
    : (tensor<2x4xf32>) -> (tensor<2x4xf4E2M1FN>, tensor<2x1xf8E8M0FNU>)
  %y = qopt.dequantize %c scales(%s) {format = #qopt.format<mxfp4, axis = 7>}
    : (tensor<2x4xf4E2M1FN>, tensor<2x1xf8E8M0FNU>) -> tensor<2x4xf32>)",
                   "2x4xf32"),
       "'qopt.quantize_dynamic' op expects an axis for its rows or blocks"},
      {makeProgram("2xi8", R"(
  %s = qopt.constant(dense<1.0> : tensor<1xf32>) : tensor<1xf32>
  %z = qopt.constant(dense<1> : tensor<1xi8>) : tensor<1xi8>
  %y = qopt.dequantize %x scales(%s) zeros(%z, %z) {format = #qopt.format<i8>}
    : (tensor<2xi8>, tensor<1xf32>, tensor<1xi8>, tensor<1xi8>) -> tensor<2xf32>)",
                   "2xf32"),
       "'qopt.dequantize' op has blocks along no axis, or zero points of zero "
       "points"},
      {makeProgram("2xi8", R"(
  %s = qopt.constant(dense<1.0> : tensor<1xf64>) : tensor<1xf64>
  %y = qopt.dequantize %x scales(%s) {format = #qopt.format<i8>}
    : (tensor<2xi8>, tensor<1xf64>) -> tensor<2xf32>)",
                   "2xf32"),
       "'qopt.dequantize' op has scales of f64, which have no ONNX form"},
      {makeProgram("2xi8", R"(
  %s = qopt.constant(dense<1.0> : tensor<1xf32>) : tensor<1xf32>
  %z = qopt.constant(dense<1> : tensor<1xi32>) : tensor<1xi32>
  %y = qopt.dequantize %x scales(%s) zeros(%z) {format = #qopt.format<i8>}
    : (tensor<2xi8>, tensor<1xf32>, tensor<1xi32>) -> tensor<2xf32>)",
                   "2xf32"),
       "'qopt.dequantize' op has zero points of i32 for codes of i8"},
      {makeProgram("2xf8E3M4",
                   "%y = qopt.cast %x : (tensor<2xf8E3M4>) -> tensor<2xf32>",
                   "2xf32"),
       "op has elements of type f8E3M4, which ONNX does not have"},
      {makeProgram("2x64xi8", R"(
  %s = qopt.constant(dense<1.0> : tensor<1x2xf32>) : tensor<1x2xf32>
  %y = qopt.dequantize %x scales(%s) {format = #qopt.format<i8, axis = 1, block = 32>}
    : (tensor<2x64xi8>, tensor<1x2xf32>) -> tensor<2x64xf32>)",
                   "2x64xf32"),
       "'qopt.dequantize' op has scales that several blocks share"},
  };
  for (const auto &row : cases) {
    problems.clear();
    EXPECT_FALSE(write(row.program)) << row.program;
    EXPECT_NE(problems.find(row.problem), std::string::npos) << problems;
    EXPECT_EQ(StringRef(problems).count(" op "), 1u) << problems;
  }
}
