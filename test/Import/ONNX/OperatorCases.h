//===- OperatorCases.h - Nodes and the IR that they become ------*- C++ -*-===//
//
// A case is one node and the lines of IR that it must become, in order.
//
//===----------------------------------------------------------------------===//

#ifndef TEST_IMPORT_ONNX_OPERATORCASES_H
#define TEST_IMPORT_ONNX_OPERATORCASES_H

#include "test/Import/ONNX/ModelBuilder.h"
#include "gtest/gtest.h"
#include <functional>

namespace qopt::test {

struct GoodModel {
  const char *name;
  /// Parts of the module's text, in order.
  std::vector<std::string> lines;
  std::function<Model()> make;
};

class Operators : public testing::TestWithParam<GoodModel> {};

inline std::string getName(const testing::TestParamInfo<GoodModel> &info) {
  return info.param.name;
}

using Ints = std::vector<int64_t>;

/// A model of one node from `x` of `type` to `y`.
inline Model one(int64_t opset, const char *op, const char *type,
                 std::vector<onnx::AttributeProto> attributes = {}) {
  return Model(opset).in("x", type).node(op, {"x"}, {"y"}, attributes).out("y");
}

/// A model of one node from `x` and `list`, a constant.
inline Model list(int64_t opset, const char *op, const char *type,
                  const char *listType, std::vector<double> values,
                  std::vector<onnx::AttributeProto> attributes = {}) {
  return Model(opset)
      .in("x", type)
      .init("list", listType, values)
      .node(op, {"x", "list"}, {"y"}, attributes)
      .out("y");
}

} // namespace qopt::test

#endif // TEST_IMPORT_ONNX_OPERATORCASES_H
