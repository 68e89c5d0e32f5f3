//===- RecurrentImporter.cpp - What LSTM, GRU and RNN share ---------------===//
//
// A direction is a loop over steps, or one step where there is only one.
//
//===----------------------------------------------------------------------===//

#include "RecurrentImporter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

//===----------------------------------------------------------------------===//
// The node
//===----------------------------------------------------------------------===//

LogicalResult RecurrentImporter::readNode() {
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 3, "X")))
    return failure();
  directionName = node.getString("direction", "forward");
  if (directionName != "forward" && directionName != "reverse" &&
      directionName != "bidirectional")
    return node.fail(
        malformed("expects a direction of \"forward\", \"reverse\" or "
                  "\"bidirectional\", but found " +
                  quote(directionName)));
  numDirections = directionName == "bidirectional" ? 2 : 1;
  int64_t layout = node.getInt("layout", 0);
  if (layout != 0 && layout != 1)
    return node.fail(
        malformed("expects a layout of 0 or 1, but found " + Twine(layout)));
  isBatchFirst = layout == 1;
  limit = node.getFloat("clip", 0);
  auto found = readActivations(node, numDirections, kind.functions);
  if (!found)
    return failure();
  functions = *found;
  return readAttributes();
}

LogicalResult RecurrentImporter::checkDims(size_t index, StringRef name,
                                           ArrayRef<int64_t> dims) {
  Value value = node.getInput(index);
  ArrayRef<int64_t> shape = getType(value).getShape();
  bool fits = shape.size() == dims.size();
  for (size_t i = 0; fits && i < shape.size(); ++i)
    fits = dims[i] < 0 || ShapedType::isDynamic(shape[i]) ||
           ShapedType::isDynamic(dims[i]) || shape[i] == dims[i];
  if (fits)
    return success();
  std::string expected;
  for (int64_t dim : dims)
    expected += (expected.empty() ? "" : ", ") +
                (dim < 0 ? std::string("any") : std::to_string(dim));
  return node.fail(malformed("expects " + name + " of dims [" + expected +
                             "], but found " + toString(value.getType())));
}

LogicalResult RecurrentImporter::checkOperand(size_t index, StringRef name,
                                              ArrayRef<int64_t> dims) {
  Value value = node.getInput(index);
  if (!value)
    return success();
  return success(succeeded(node.expectSameElementType(x, value)) &&
                 succeeded(checkDims(index, name, dims)));
}

int64_t RecurrentImporter::findHidden() {
  return getType(node.getInput(2)).getShape().back();
}

LogicalResult RecurrentImporter::checkWeights() {
  int64_t rows = kind.numGates * hidden, any = -1;
  return success(
      succeeded(checkOperand(1, "W", {numDirections, rows, any})) &&
      succeeded(checkOperand(2, "R", {numDirections, rows, hidden})));
}

LogicalResult RecurrentImporter::checkOperands() {
  if (getRank(x) != 3 || failed(node.expectRank(node.getInput(2), 3, "R")))
    return node.fail(
        malformed("expects X of rank 3, but found " + toString(x.getType())));
  hidden = node.getInt("hidden_size", findHidden());
  if (ShapedType::isDynamic(hidden))
    return node.fail(unsupported("expects hidden_size, or R of known dims"));
  if (hidden < 1 || hidden > std::numeric_limits<int32_t>::max())
    return node.fail(malformed(
        "expects a hidden_size of 1 or more, but found " + Twine(hidden)));
  int64_t rows = kind.numGates * hidden;
  int64_t batch = getType(x).getDimSize(isBatchFirst ? 0 : 1);
  SmallVector<int64_t> state{numDirections, batch, hidden};
  if (isBatchFirst)
    std::swap(state[0], state[1]);
  if (failed(checkWeights()) ||
      failed(checkOperand(3, "B", {numDirections, 2 * rows})) ||
      failed(checkOperand(5, "initial_h", state)) ||
      failed(checkOperand(6, "initial_c", state)) ||
      failed(checkOperand(7, "P", {numDirections, 3 * hidden})))
    return failure();
  for (size_t index : {1, 2})
    if (!getType(node.getInput(index)).hasStaticShape())
      return node.fail(unsupported("expects W and R of known dims, but found " +
                                   toString(node.getInput(index).getType())));
  return success();
}

LogicalResult RecurrentImporter::readLengths() {
  Value given = node.getInput(4);
  if (!given)
    return success();
  if (failed(node.expectIndices(given, "sequence_lens")))
    return failure();
  if (getRank(given) != 1)
    return node.fail(malformed("expects sequence_lens of rank 1, but found " +
                               toString(given.getType())));
  Type i64 = node.getBuilder().getI64Type();
  lengthList =
      getElementType(given) == i64 ? given : node.make<CastOp>(i64, given);
  lengths = node.make<UnsqueezeOp>(i64, lengthList,
                                   node.attr("axes", ArrayRef<int64_t>{1}));
  return success(lengths != nullptr);
}

Value RecurrentImporter::clip(Value x) {
  if (limit <= 0)
    return x;
  return node.make<ClipOp>(
      element, x, {node.attr("low", -limit), node.attr("high", limit)});
}

//===----------------------------------------------------------------------===//
// Operands of one direction
//===----------------------------------------------------------------------===//

Value RecurrentImporter::pick(Value all, int64_t direction) {
  if (!all)
    return {};
  SmallVector<int64_t> sizes(numDirections, 1);
  return math.squeeze(math.split(all, 0, sizes)[direction], 0);
}

Value RecurrentImporter::multiplyInputs(int64_t direction) {
  Value w = pick(node.getInput(1), direction);
  return math.matmul(x, math.transpose(w, {1, 0}));
}

void RecurrentImporter::readStateWeights(int64_t index, Direction &direction) {
  Value r = pick(node.getInput(2), index);
  direction.r = math.split(math.transpose(r, {1, 0}), 1, getProductSizes());
}

Value RecurrentImporter::makeZeros(ArrayRef<Value> dims,
                                   ArrayRef<int64_t> shape) {
  Type i64 = node.getBuilder().getI64Type();
  auto zero = DenseElementsAttr::get(
      RankedTensorType::get({1}, element),
      cast<Attribute>(node.getBuilder().getZeroAttr(element)));
  Value list = node.make<ConcatOp>(i64, dims, node.attr("axis", int64_t(0)));
  if (!list)
    return {};
  Value zeros =
      node.make<ConstantOfShapeOp>(element, list, node.attr("value", zero));
  return zeros ? withType(node, zeros, RankedTensorType::get(shape, element))
               : Value();
}

/// The batch of x as a list of one number.
static Value getBatch(NodeImporter &node, Value x) {
  return node.make<ShapeOp>(
      node.getBuilder().getI64Type(), x,
      {node.attr("start", int64_t(1)), node.attr("end", int64_t(2))});
}

/// A state before the first step, of [batch, hidden].
Value RecurrentImporter::makeState(size_t index, int64_t direction) {
  Value given = node.getInput(index);
  int64_t batch = getType(x).getDimSize(1);
  if (!given) {
    Value size = makeIntegers(node.getBuilder(), node.getLoc(), hidden);
    return makeZeros({getBatch(node, x), size}, {batch, hidden});
  }
  if (isBatchFirst)
    given = math.transpose(given, {1, 0, 2});
  Value state = pick(given, direction);
  // The batch of x is that of all operands.
  if (!state || ShapedType::isDynamic(batch) || getType(state).hasStaticShape())
    return state;
  return node.make<ReshapeOp>(
      element,
      {state, makeIntegers(node.getBuilder(), node.getLoc(), {batch, hidden})},
      node.attr("allow_zero", true));
}

/// No outputs of steps yet.
Value RecurrentImporter::makeNoOutputs() {
  OpBuilder &b = node.getBuilder();
  return makeZeros({makeIntegers(b, node.getLoc(), 0), getBatch(node, x),
                    makeIntegers(b, node.getLoc(), hidden)},
                   {ShapedType::kDynamic, getType(x).getDimSize(1), hidden});
}

Value RecurrentImporter::reverseSequences(Value x) {
  return node.make<ReverseSequenceOp>(element, {x, lengthList},
                                      {node.attr("batch_axis", int64_t(1)),
                                       node.attr("time_axis", int64_t(0))});
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// One step; behind the end of a sequence states stay and the output is 0.
LogicalResult RecurrentImporter::runStep(const Direction &direction,
                                         Value counter, Value xt,
                                         ValueRange states, Values &next,
                                         Value &row) {
  SmallVector<Value> before(states.begin(), states.end());
  SmallVector<Value> after = step(direction, xt, before);
  if (llvm::is_contained(after, Value()))
    return failure();
  row = after.front();
  if (lengths) {
    Value isInside = node.make<LessOp>(node.getBuilder().getI1Type(),
                                       {toTensor(node, counter), lengths});
    for (auto [value, old] : llvm::zip_equal(after, before))
      value = node.make<WhereOp>(element, {isInside, value, old});
    row = node.make<WhereOp>(element, {isInside, row, math.number(0, element)});
  }
  next.append(after.begin(), after.end());
  return success(row && !llvm::is_contained(after, Value()));
}

LogicalResult RecurrentImporter::runDirection(int64_t index, bool isReverse) {
  int64_t rows = kind.numGates * hidden;
  size_t perDirection = kind.functions.size();
  Direction direction;
  direction.functions =
      ArrayRef(functions).slice(index * perDirection, perDirection);
  readStateWeights(index, direction);
  if (Value bias = pick(node.getInput(3), index)) {
    SmallVector<Value> halves = math.split(bias, 0, {rows, rows});
    mergeBiases(direction, halves[0], halves[1]);
  }
  direction.peepholes = pick(node.getInput(7), index);
  Value products = multiplyInputs(index);
  if (direction.inputBias)
    products = math.add(products, direction.inputBias);
  bool turnsSequences = isReverse && lengths;
  if (turnsSequences)
    products = reverseSequences(products);
  Values values;
  for (int64_t i = 0; i < kind.numStates; ++i)
    values.push_back(makeState(5 + i, index));
  if (!products || llvm::is_contained(values, Value()))
    return failure();

  bool needsOutputs = node.hasOutput(0);
  bool isBackward = isReverse && !lengths;
  Value all;
  if (getType(x).getDimSize(0) == 1) {
    Values next;
    Value row;
    if (failed(runStep(direction, makeScalarConstant(node, 0),
                       math.squeeze(products, 0), values, next, row)))
      return failure();
    values = next;
    if (needsOutputs)
      all = math.unsqueeze(row, 0);
  } else {
    SmallVector<Collection> collections;
    if (needsOutputs)
      collections.push_back({makeNoOutputs(), 0, isBackward, /*hasDims=*/true});
    auto body = [&](Value counter, ValueRange carried, Values &next) {
      Value at =
          toTensor(node, isBackward ? countFromEnd(node, counter) : counter);
      Value row, xt = node.make<GatherOp>(element, {products, at},
                                          node.attr("axis", int64_t(0)));
      if (!xt || failed(runStep(direction, counter, xt, carried, next, row)))
        return failure();
      if (needsOutputs)
        next.push_back(row);
      return success();
    };
    if (failed(makeFor(node, getDim(node, x, 0), collections, values, body)))
      return failure();
    if (needsOutputs) {
      all = values.pop_back_val();
      if (int64_t size = getType(x).getDimSize(0); !ShapedType::isDynamic(size))
        all = withSize(node, all, 0, size);
    }
  }
  if (turnsSequences && all)
    all = reverseSequences(all);
  outputs.push_back(all);
  for (auto [i, value] : llvm::enumerate(values))
    lastStates[i].push_back(value);
  return success(!needsOutputs || all);
}

/// Of all directions, along a new axis.
Value RecurrentImporter::stack(ArrayRef<Value> values, int64_t axis) {
  SmallVector<Value> parts;
  for (Value value : values)
    parts.push_back(math.unsqueeze(value, axis));
  return node.getFailure() ? Value() : math.concat(parts, axis);
}

LogicalResult RecurrentImporter::run() {
  if (failed(readNode()) || failed(checkOperands()) || failed(readLengths()))
    return failure();
  if (isBatchFirst)
    x = math.transpose(x, {1, 0, 2});
  if (!x)
    return failure();
  lastStates.resize(kind.numStates);
  if (directionName != "reverse" && failed(runDirection(0, false)))
    return failure();
  if (directionName != "forward" &&
      failed(runDirection(numDirections - 1, true)))
    return failure();
  if (node.hasOutput(0)) {
    Value all = stack(outputs, 1);
    if (isBatchFirst)
      all = math.transpose(all, {2, 0, 1, 3});
    if (failed(node.setOutput(0, all)))
      return failure();
  }
  for (int64_t i = 0; i < kind.numStates; ++i) {
    if (!node.hasOutput(1 + i))
      continue;
    Value last = stack(lastStates[i], 0);
    if (isBatchFirst)
      last = math.transpose(last, {1, 0, 2});
    if (failed(node.setOutput(1 + i, last)))
      return failure();
  }
  return success();
}
