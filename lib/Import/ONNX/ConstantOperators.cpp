//===- ConstantOperators.cpp - Constants and what passes through ----------===//
//
// Identity and Dropout make no op: their output is their input.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static LogicalResult importConstant(NodeImporter &node) {
  OpBuilder &builder = node.getBuilder();
  if (node.hasAttribute("value")) {
    std::optional<TensorData> tensor = node.getTensor("value");
    if (!tensor)
      return failure();
    return node.setOutput(
        0, makeConstant(builder, node.getLoc(), std::move(*tensor)));
  }
  auto integers = [&](ArrayRef<int64_t> values, bool isScalar) {
    return node.setOutput(
        0, makeIntegers(builder, node.getLoc(), values, isScalar));
  };
  auto floats = [&](ArrayRef<float> values, bool isScalar) {
    return node.setOutput(0,
                          makeFloats(builder, node.getLoc(), values, isScalar));
  };
  if (node.hasAttribute("value_int"))
    return integers(node.getInt("value_int", 0), true);
  if (node.hasAttribute("value_ints"))
    return integers(node.getInts("value_ints"), false);
  if (node.hasAttribute("value_float"))
    return floats(node.getFloat("value_float", 0), true);
  if (node.hasAttribute("value_floats"))
    return floats(node.getFloats("value_floats"), false);
  for (const char *name : {"value_string", "value_strings", "sparse_value"})
    if (node.hasAttribute(name))
      return node.fail(unsupported("constants with attribute " + quote(name) +
                                   " are not supported"));
  return node.fail(malformed("expects a value, but found none"));
}

static LogicalResult importIdentity(NodeImporter &node) {
  return node.setOutput(0, node.getInput(0));
}

static LogicalResult importDropout(NodeImporter &node) {
  node.ignoreAttribute("ratio");
  node.ignoreAttribute("seed");
  Value x = node.getInput(0), ratio = node.getInput(1);
  Value training = node.getInput(2);
  if (training && !isConstantZero(training) &&
      !(ratio && isConstantZero(ratio)))
    return node.fail(
        unsupported("expects a training_mode that is false, but found another",
                    "export the model in inference mode"));
  // Nothing is dropped.
  Composer c(node);
  Value kept =
      c.expand(c.number(1, node.getBuilder().getI1Type()), c.shapeOf(x));
  return success(succeeded(node.setOutput(0, x)) &&
                 succeeded(node.setOutput(1, kept)));
}

/// Before opset 7 an attribute says whether the model is trained.
static LogicalResult importDropoutForTest(NodeImporter &node) {
  if (node.getInt("is_test", 0) == 0 && node.getFloat("ratio", 0.5f) != 0)
    return node.fail(unsupported("expects is_test = 1, but found 0",
                                 "export the model in inference mode"));
  return importDropout(node);
}

ArrayRef<Operator> qopt::importer::getConstantOperators() {
  static constexpr Operator rows[] = {
      {"Constant", 1, 0, 0, importConstant, "no strings, no sparse tensors"},
      {"Dropout", 1, 1, 1, importDropoutForTest},
      {"Dropout", 7, 1, 1, importDropout},
      {"Dropout", 12, 1, 3, importDropout, "inference only"},
      {"Identity", 1, 1, 1, importIdentity},
  };
  return rows;
}
