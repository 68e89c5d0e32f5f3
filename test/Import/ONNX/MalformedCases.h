//===- MalformedCases.h - Models that must be refused -----------*- C++ -*-===//
//
// Each case is one fault; the exit code and the text of the message are what is
// promised. No case may crash or take long.
//
//===----------------------------------------------------------------------===//

#ifndef TEST_IMPORT_ONNX_MALFORMEDCASES_H
#define TEST_IMPORT_ONNX_MALFORMEDCASES_H

#include "test/Import/ONNX/ModelBuilder.h"
#include "gtest/gtest.h"
#include <functional>

namespace qopt::test {

struct BadModel {
  const char *name;
  ExitCode code;
  /// What the message ends with, after the path.
  const char *message;
  std::function<Model()> make;
};

class MalformedModels : public testing::TestWithParam<BadModel> {};

inline std::string getCaseName(const testing::TestParamInfo<BadModel> &info) {
  return info.param.name;
}

inline constexpr ExitCode bad = ExitCode::BadData;
inline constexpr ExitCode unsupported = ExitCode::Unsupported;

/// A model of one node from `x` of [2, 3] to `y`.
inline Model one(int64_t opset, const char *op, std::vector<std::string> inputs,
                 std::vector<onnx::AttributeProto> attributes = {}) {
  return Model(opset)
      .in("x", "f32[2, 3]")
      .node(op, inputs, {"y"}, attributes)
      .out("y");
}

inline Model oneWithList(int64_t opset, const char *op, const char *type,
                         std::vector<double> values,
                         std::vector<onnx::AttributeProto> attributes = {}) {
  Model model = one(opset, op, {"x", "list"}, attributes);
  model.init("list", type, values);
  return model;
}

} // namespace qopt::test

#endif // TEST_IMPORT_ONNX_MALFORMEDCASES_H
