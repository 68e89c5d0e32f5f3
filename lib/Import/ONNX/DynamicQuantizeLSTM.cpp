//===- DynamicQuantizeLSTM.cpp - An LSTM with weights in codes ------------===//
//
// Both products are of integers: all inputs are quantized at once, a state in
// each step, as DynamicQuantizeLinear does. The states of a batch have one
// scale; ONNX Runtime gives each of its threads one.
//
//===----------------------------------------------------------------------===//

#include "DynamicQuantization.h"
#include "IntegerProducts.h"
#include "Operators.h"
#include "RecurrentImporter.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
class QuantizedLstmImporter : public LstmImporter {
public:
  using LstmImporter::LstmImporter;

private:
  /// Of W or R in one direction.
  struct Weight {
    Codes codes;
    /// Of rank 0, or one for each column.
    Value scale;
  };

  int64_t findHidden() override {
    return getType(node.getInput(2)).getDimSize(1);
  }

  LogicalResult checkWeights() override {
    int64_t columns = kind.numGates * hidden, any = -1;
    return success(
        succeeded(
            checkWeight(1, "W", {numDirections, any, columns}, "W_scale", 8)) &&
        succeeded(checkWeight(2, "R", {numDirections, hidden, columns},
                              "R_scale", 10)));
  }

  /// Checks codes, and their scale and zero point, which stand behind it.
  LogicalResult checkWeight(size_t index, StringRef name,
                            ArrayRef<int64_t> dims, StringRef scaleName,
                            size_t scale) {
    Value codes = node.getInput(index), factor = node.getInput(scale);
    Value zero = node.getInput(scale + 1);
    if (!factor)
      return node.fail(malformed("expects " + scaleName));
    if (failed(expectBytes(node, codes)) ||
        failed(checkDims(index, name, dims)) ||
        failed(node.expectElementType(factor, getElementType(factor).isF32(),
                                      "a scale of float")))
      return failure();
    bool isEach = getRank(factor) == 2;
    SmallVector<int64_t> each{numDirections, dims.back()};
    ArrayRef<int64_t> expected = ArrayRef(each).take_front(isEach ? 2 : 1);
    if (failed(checkDims(scale, scaleName, expected)))
      return failure();
    return success(!zero ||
                   (succeeded(node.expectSameElementType(codes, zero)) &&
                    succeeded(checkDims(scale + 1, "a zero point", expected))));
  }

  Weight readWeight(size_t index, size_t scale, int64_t direction) {
    Weight weight{{pick(node.getInput(index), direction)},
                  pick(node.getInput(scale), direction)};
    Value zero = pick(node.getInput(scale + 1), direction);
    if (!zero || isConstantZero(node.getInput(scale + 1)))
      return weight;
    (getRank(zero) == 0 ? weight.codes.zero : weight.codes.zeros) = zero;
    return weight;
  }

  /// f32((x - zx) (w - zw)) * (sx * sw)
  Value multiply(Value x, const Weight &weight) {
    auto made = quantizeDynamically(node, x);
    Value sums =
        made ? multiplyCodes(node, {made->codes, made->zero}, weight.codes)
             : Value();
    if (!sums)
      return {};
    return math.mul(math.cast(sums, element),
                    math.mul(made->scale, weight.scale));
  }

  Value multiplyInputs(int64_t direction) override {
    return multiply(x, readWeight(1, 8, direction));
  }

  void readStateWeights(int64_t index, Direction &) override {
    stateWeight = readWeight(2, 10, index);
  }

  Value multiplyState(const Direction &, Value state) override {
    return multiply(state, stateWeight);
  }

  Weight stateWeight;
};
} // namespace

static LogicalResult importDynamicQuantizeLSTM(NodeImporter &node) {
  return QuantizedLstmImporter(node).run();
}

ArrayRef<Operator> qopt::importer::getQuantizedRecurrentOperators() {
  static constexpr Operator rows[] = {
      {"com.microsoft.DynamicQuantizeLSTM", 1, 3, 12, importDynamicQuantizeLSTM,
       "W and R of known dims"},
  };
  return rows;
}
