//===- ActivationOperators.cpp - Activations of several ops ---------------===//
//
// Those that one op computes stand in ElementwiseOperators.cpp.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// Makes the first output a function of the first input, which is of floats.
static LogicalResult
importFunction(NodeImporter &node,
               llvm::function_ref<Value(Composer &c, Value x)> function) {
  Composer c(node);
  Value x = node.getInput(0);
  if (failed(node.expectFloat(x)))
    return failure();
  return node.setOutput(0, function(c, x));
}

/// x where it is positive, else what a formula gives.
static LogicalResult importCelu(NodeImporter &node) {
  float alpha = node.getFloat("alpha", 1.0f);
  return importFunction(node, [&](Composer &c, Value x) {
    Value below = c.mul(c.sub(c.of<ExpOp>(c.div(x, alpha)), 1), alpha);
    return c.add(c.of<MaxOp>(x, 0.0), c.of<MinOp>(below, 0.0));
  });
}

static LogicalResult importSelu(NodeImporter &node) {
  float alpha = node.getFloat(
      "alpha", node.getOpset() < 6 ? 1.6732f : 1.67326319217681884765625f);
  float gamma = node.getFloat(
      "gamma", node.getOpset() < 6 ? 1.0507f : 1.05070102214813232421875f);
  return importFunction(node, [&](Composer &c, Value x) {
    // alpha * (exp(x) - 1) below 0
    return c.mul(c.make<EluOp>(x, node.attr("alpha", alpha)), gamma);
  });
}

static LogicalResult importMish(NodeImporter &node) {
  return importFunction(node, [](Composer &c, Value x) {
    return c.mul(x, c.of<TanhOp>(c.of<SoftplusOp>(x)));
  });
}

static LogicalResult importSoftsign(NodeImporter &node) {
  return importFunction(node, [](Composer &c, Value x) {
    return c.div(x, c.add(c.of<AbsOp>(x), 1));
  });
}

static LogicalResult importThresholdedRelu(NodeImporter &node) {
  float alpha = node.getFloat("alpha", 1.0f);
  return importFunction(node, [&](Composer &c, Value x) {
    return c.where(c.test<GreaterOp>(x, alpha), x, 0);
  });
}

static LogicalResult importShrink(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  float bias = node.getFloat("bias", 0.0f);
  float lambd = node.getFloat("lambd", 0.5f);
  if (failed(node.expectFloat(x)))
    return failure();
  Value above = c.where(c.test<GreaterOp>(x, lambd), c.sub(x, bias), 0);
  return node.setOutput(
      0, c.where(c.test<LessOp>(x, -lambd), c.add(x, bias), above));
}

static LogicalResult importSwiGLU(NodeImporter &node) {
  Composer c(node);
  Value gate = node.getInput(0), linear = node.getInput(1);
  float alpha = node.getFloat("alpha", 1.0f);
  if (failed(node.expectFloat(gate)) ||
      failed(node.expectSameElementType(gate, linear)))
    return failure();
  Value silu = alpha == 1.0f ? c.of<SiluOp>(gate)
                             : c.mul(gate, c.of<SigmoidOp>(c.mul(gate, alpha)));
  return node.setOutput(0, c.mul(silu, linear));
}

//===----------------------------------------------------------------------===//
// Along an axis. Before opset 13 x is a matrix: the axes before `axis` are its
// rows, all others its columns.
//===----------------------------------------------------------------------===//

template <typename Fn>
static LogicalResult importRows(NodeImporter &node, Fn compute) {
  Composer c(node);
  Value x = node.getInput(0);
  bool isMatrix = node.getOpset() < 13;
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 1, "an input")))
    return failure();
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", isMatrix ? 1 : -1), getRank(x));
  if (!axis)
    return failure();
  bool isRow = llvm::all_of(getType(x).getShape().drop_front(*axis + 1),
                            [](int64_t dim) { return dim == 1; });
  if (!isMatrix || isRow)
    return node.setOutput(0, compute(c, x, *axis));
  Value matrix = c.make<FlattenOp>(x, node.attr("axis", *axis));
  if (!matrix)
    return failure();
  return node.setOutput(0, c.reshape(compute(c, matrix, 1), c.shapeOf(x)));
}

Value qopt::importer::makeLogSoftmax(Composer &c, Value x, int64_t axis) {
  Value shifted = c.sub(x, c.reduce(ReduceKind::Max, x, axis));
  Value sum = c.reduce(ReduceKind::Sum, c.of<ExpOp>(shifted), axis);
  return c.sub(shifted, c.of<LogOp>(sum));
}

static LogicalResult importLogSoftmax(NodeImporter &node) {
  return importRows(node, makeLogSoftmax);
}

/// One where the first of the largest stands.
static Value makeHardmax(Composer &c, Value x, int64_t axis) {
  NodeImporter &node = c.getNode();
  OpBuilder &builder = node.getBuilder();
  auto max = ReduceKindAttr::get(builder.getContext(), ReduceKind::Max);
  Value best = node.make<ArgReduceOp>(
      builder.getI64Type(), x,
      {node.attr("kind", max), node.attr("axis", axis),
       node.attr("keepdims", true), node.attr("select_last", false)});
  SmallVector<int64_t> behind =
      llvm::to_vector(llvm::seq<int64_t>(1, getRank(x) - axis));
  Value isBest =
      c.test<EqualOp>(c.unsqueeze(c.positionsOf(x, axis), behind), best);
  return c.cast(isBest, getElementType(x));
}

static LogicalResult importHardmax(NodeImporter &node) {
  return importRows(node, makeHardmax);
}

//===----------------------------------------------------------------------===//
// com.microsoft
//===----------------------------------------------------------------------===//

static LogicalResult makeGelu(NodeImporter &node, Value x, GeluForm form) {
  if (!x || failed(node.expectFloat(x)))
    return failure();
  return node.makeOutput<GeluOp>(
      getElementType(x), x,
      node.attr("form", GeluFormAttr::get(x.getContext(), form)));
}

/// The input, with a bias where there is one.
static Value addBias(NodeImporter &node) {
  Value x = node.getInput(0), bias = node.getInput(1);
  if (!bias)
    return x;
  if (failed(node.expectSameElementType(x, bias)) ||
      failed(node.expectBroadcast({x, bias})))
    return {};
  return Composer(node).add(x, bias);
}

static LogicalResult importGelu(NodeImporter &node) {
  return makeGelu(node, addBias(node), GeluForm::Erf);
}

static LogicalResult importFastGelu(NodeImporter &node) {
  return makeGelu(node, addBias(node), GeluForm::Tanh);
}

static LogicalResult importQuickGelu(NodeImporter &node) {
  float alpha = node.getFloat("alpha", 1.702f);
  return importFunction(node, [&](Composer &c, Value x) {
    return c.mul(x, c.of<SigmoidOp>(c.mul(x, alpha)));
  });
}

ArrayRef<Operator> qopt::importer::getActivationOperators() {
  static constexpr Operator rows[] = {
      {"Celu", 12, 1, 1, importCelu},
      {"Hardmax", 1, 1, 1, importHardmax},
      {"LogSoftmax", 1, 1, 1, importLogSoftmax},
      {"Mish", 18, 1, 1, importMish},
      {"Selu", 1, 1, 1, importSelu},
      {"Shrink", 9, 1, 1, importShrink},
      {"Softsign", 1, 1, 1, importSoftsign},
      {"SwiGLU", 28, 2, 2, importSwiGLU},
      {"ThresholdedRelu", 10, 1, 1, importThresholdedRelu},
      {"com.microsoft.BiasGelu", 1, 2, 2, importGelu},
      {"com.microsoft.FastGelu", 1, 1, 2, importFastGelu},
      {"com.microsoft.Gelu", 1, 1, 1, importGelu},
      {"com.microsoft.QuickGelu", 1, 1, 1, importQuickGelu},
  };
  return rows;
}
