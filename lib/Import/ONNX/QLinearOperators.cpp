//===- QLinearOperators.cpp - Element-wise operators on codes -------------===//
//
// Of com.microsoft, as its documents have them: what codes stand for is
// computed in float and rounded to codes once. One kernel fuses it.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// code - zero of the inputs from `index` on: codes, scale, zero point.
static Value centre(Composer &c, size_t index) {
  NodeImporter &node = c.getNode();
  Value codes = node.getInput(index), zero = node.getInput(index + 2);
  Type type = getElementType(codes), f32 = node.getBuilder().getF32Type();
  if (!isa<IntegerType>(type) || type.getIntOrFloatBitWidth() != 8) {
    (void)node.fail(malformed("expects codes of int8 or uint8, but found " +
                              toString(codes.getType())));
    return {};
  }
  if (zero && failed(node.expectSameElementType(codes, zero)))
    return {};
  Value wide = c.cast(codes, f32);
  return zero ? c.sub(wide, c.cast(zero, f32)) : wide;
}

static Value dequantize(Composer &c, size_t index) {
  return c.mul(centre(c, index), c.getNode().getInput(index + 1));
}

/// The first output: `value`, in units of the scale, rounded, with the zero
/// point at `index` added behind that, or in front.
static LogicalResult quantize(Composer &c, Value value, size_t index,
                              bool addsFirst = false) {
  NodeImporter &node = c.getNode();
  auto type = cast<IntegerType>(getElementType(node.getInput(0)));
  Value zero = c.cast(node.getInput(index), node.getBuilder().getF32Type());
  if (zero && addsFirst)
    value = c.add(value, zero);
  value = c.of<RoundOp>(value);
  if (zero && !addsFirst)
    value = c.add(value, zero);
  double low = type.isUnsigned() ? 0 : -128,
         high = type.isUnsigned() ? 255 : 127;
  value = c.of<MinOp>(c.of<MaxOp>(value, low), high);
  return node.setOutput(0, c.cast(value, type));
}

static LogicalResult importQLinearAdd(NodeImporter &node) {
  Composer c(node);
  Value scale = node.getInput(6);
  Value a = c.mul(centre(c, 0), c.div(node.getInput(1), scale));
  Value b = c.mul(centre(c, 3), c.div(node.getInput(4), scale));
  return quantize(c, c.add(a, b), 7);
}

static LogicalResult importQLinearMul(NodeImporter &node) {
  Composer c(node);
  Value factor =
      c.div(c.mul(node.getInput(1), node.getInput(4)), node.getInput(6));
  return quantize(c, c.mul(c.mul(centre(c, 0), centre(c, 3)), factor), 7,
                  /*addsFirst=*/true);
}

static LogicalResult importQLinearSigmoid(NodeImporter &node) {
  Composer c(node);
  Value value = c.of<SigmoidOp>(dequantize(c, 0));
  return quantize(c, c.div(value, node.getInput(3)), 4);
}

static LogicalResult importQLinearLeakyRelu(NodeImporter &node) {
  Composer c(node);
  float alpha = node.getFloat("alpha", 0.01f);
  Value value =
      c.make<LeakyReluOp>(dequantize(c, 0), node.attr("alpha", alpha));
  return quantize(c, c.div(value, node.getInput(3)), 4);
}

ArrayRef<Operator> qopt::importer::getQLinearOperators() {
  static constexpr Operator rows[] = {
      {"com.microsoft.QLinearAdd", 1, 7, 8, importQLinearAdd},
      {"com.microsoft.QLinearLeakyRelu", 1, 4, 5, importQLinearLeakyRelu},
      {"com.microsoft.QLinearMul", 1, 7, 8, importQLinearMul},
      {"com.microsoft.QLinearSigmoid", 1, 4, 5, importQLinearSigmoid},
  };
  return rows;
}
