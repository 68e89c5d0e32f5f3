//===- RecurrentOperators.cpp - LSTM, GRU and RNN -------------------------===//
//
// One step of each; RecurrentImporter makes the loop of it.
//
//===----------------------------------------------------------------------===//

#include "Operators.h"
#include "RecurrentImporter.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static constexpr StringRef kLstmFunctions[] = {"Sigmoid", "Tanh", "Tanh"};

LstmImporter::LstmImporter(NodeImporter &node)
    : RecurrentImporter(node, {4, 2, kLstmFunctions}) {}

LogicalResult LstmImporter::readAttributes() {
  couplesGates = node.getInt("input_forget", 0) != 0;
  return success();
}

Value LstmImporter::multiplyState(const Direction &direction, Value state) {
  return math.matmul(state, direction.r[0]);
}

SmallVector<Value> LstmImporter::step(const Direction &direction, Value x,
                                      ArrayRef<Value> states) {
  Value c = states[1];
  SmallVector<Value> gates =
      splitGates(math.add(x, multiplyState(direction, states[0])));
  SmallVector<Value> peepholes(3);
  if (direction.peepholes)
    peepholes = math.split(direction.peepholes, 0, {hidden, hidden, hidden});
  auto gate = [&](int64_t index, int64_t peephole, Value cell) {
    Value sum = gates[index];
    if (direction.peepholes)
      sum = math.add(sum, math.mul(peepholes[peephole], cell));
    return apply(direction, 0, clip(sum));
  };
  Value i = gate(0, 0, c);
  Value f = couplesGates ? math.sub(1, i) : gate(2, 2, c);
  Value candidate = apply(direction, 1, clip(gates[3]));
  Value cell = math.add(math.mul(f, c), math.mul(i, candidate));
  Value o = gate(1, 1, cell);
  return {math.mul(o, apply(direction, 2, cell)), cell};
}

namespace {
/// h = f(x W + b + h R)
class RnnImporter : public RecurrentImporter {
  using RecurrentImporter::RecurrentImporter;

  SmallVector<Value> step(const Direction &direction, Value x,
                          ArrayRef<Value> states) override {
    Value sum = math.add(x, math.matmul(states[0], direction.r[0]));
    return {apply(direction, 0, clip(sum))};
  }
};

/// Gates z, r and h. The reset gate stands in front of the product of the
/// state, or behind it.
class GruImporter : public RecurrentImporter {
  using RecurrentImporter::RecurrentImporter;

  LogicalResult readAttributes() override {
    resetsProduct = node.getInt("linear_before_reset", 0) != 0;
    return success();
  }

  SmallVector<int64_t> getProductSizes() const override {
    return {2 * hidden, hidden};
  }

  void mergeBiases(Direction &direction, Value wb, Value rb) override {
    if (!resetsProduct)
      return RecurrentImporter::mergeBiases(direction, wb, rb);
    SmallVector<Value> w = math.split(wb, 0, getProductSizes());
    SmallVector<Value> r = math.split(rb, 0, getProductSizes());
    direction.inputBias = math.concat({math.add(w[0], r[0]), w[1]}, 0);
    direction.stateBias = r[1];
  }

  SmallVector<Value> step(const Direction &direction, Value x,
                          ArrayRef<Value> states) override {
    Value h = states[0];
    ArrayRef<Value> r = direction.r;
    SmallVector<Value> xs = math.split(x, 1, getProductSizes());
    Value both =
        apply(direction, 0, clip(math.add(xs[0], math.matmul(h, r[0]))));
    SmallVector<Value> gates = math.split(both, 1, {hidden, hidden});
    Value z = gates[0], reset = gates[1], product;
    if (resetsProduct) {
      product = math.matmul(h, r[1]);
      if (direction.stateBias)
        product = math.add(product, direction.stateBias);
      product = math.mul(reset, product);
    } else {
      product = math.matmul(math.mul(reset, h), r[1]);
    }
    Value candidate = apply(direction, 1, clip(math.add(xs[1], product)));
    Value kept = math.mul(z, h);
    return {math.add(math.mul(math.sub(1, z), candidate), kept)};
  }

  bool resetsProduct = false;
};
} // namespace

static LogicalResult importRnn(NodeImporter &node) {
  static constexpr StringRef functions[] = {"Tanh"};
  return RnnImporter(node, {1, 1, functions}).run();
}

static LogicalResult importLstm(NodeImporter &node) {
  return LstmImporter(node).run();
}

static LogicalResult importGru(NodeImporter &node) {
  static constexpr StringRef functions[] = {"Sigmoid", "Tanh"};
  return GruImporter(node, {3, 1, functions}).run();
}

ArrayRef<Operator> qopt::importer::getRecurrentOperators() {
  static constexpr const char *known = "W and R of known dims";
  static constexpr Operator rows[] = {
      {"GRU", 7, 3, 6, importGru, known},
      {"LSTM", 7, 3, 8, importLstm, known},
      {"RNN", 7, 3, 6, importRnn, known},
  };
  return rows;
}
