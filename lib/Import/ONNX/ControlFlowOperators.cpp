//===- ControlFlowOperators.cpp - If, Loop and Scan -----------------------===//
//
// A branch that is known is all that is left of an If. Loops that only count
// are scf.for, others scf.while; what they scan out grows row by row, as no one
// knows how often a loop runs.
//
//===----------------------------------------------------------------------===//

#include "ControlFlow.h"
#include "Operators.h"
#include "dialects/QOpt/IR/KnownIntegers.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static LogicalResult setOutputs(NodeImporter &node, ArrayRef<Value> values) {
  if (node.getNumOutputs() > values.size())
    return node.fail(malformed("expects at most " + Twine(values.size()) +
                               " outputs, but found " +
                               Twine(node.getNumOutputs())));
  for (auto [i, value] : llvm::enumerate(values))
    if (failed(node.setOutput(i, value)))
      return failure();
  return success();
}

/// Checks for one element of a type.
static LogicalResult expectOne(NodeImporter &node, Value value, bool isOfType,
                               StringRef expected) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (type && isOfType &&
      (!type.hasStaticShape() || type.getNumElements() == 1))
    return success();
  return node.fail(malformed("expects " + expected + ", but found " +
                             toString(value.getType())));
}

static LogicalResult expectCondition(NodeImporter &node, Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return expectOne(node, value, type && type.getElementType().isInteger(1),
                   "a condition of one boolean");
}

/// What a condition is, where no run is needed to know.
static std::optional<bool> getKnownCondition(Value value) {
  auto known = getAllKnownIntegers(value);
  if (!known || known->size() != 1)
    return std::nullopt;
  return known->front() != 0;
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

static LogicalResult importIf(NodeImporter &node) {
  Value condition = node.getInput(0);
  if (failed(expectCondition(node, condition)))
    return failure();
  node.ignoreAttribute("then_branch");
  node.ignoreAttribute("else_branch");
  Values results;
  if (std::optional<bool> known = getKnownCondition(condition)) {
    if (failed(
            node.importBranch(*known ? "then_branch" : "else_branch", results)))
      return failure();
    return setOutputs(node, results);
  }
  if (failed(makeIf(
          node, toScalar(node, condition),
          [&](Values &own) { return node.importBranch("then_branch", own); },
          [&](Values &own) { return node.importBranch("else_branch", own); },
          results)))
    return failure();
  return setOutputs(node, results);
}

//===----------------------------------------------------------------------===//
// Bodies of loops
//===----------------------------------------------------------------------===//

/// The outputs of one iteration; there must be `least` at least.
static LogicalResult importBody(NodeImporter &node, ArrayRef<Value> arguments,
                                size_t least, Values &results) {
  if (failed(node.importLoopBody("body", arguments, results)))
    return failure();
  if (results.size() >= least)
    return success();
  return node.fail(malformed("expects a body of " + Twine(least) +
                             " outputs or more, but found " +
                             Twine(results.size())));
}

/// Carries on a row of each of `outputs`, whose types become `types`.
static LogicalResult scanOut(NodeImporter &node, ArrayRef<Value> outputs,
                             Values &next,
                             SmallVector<RankedTensorType> &types) {
  types.clear();
  for (Value row : outputs) {
    auto type = dyn_cast<RankedTensorType>(row.getType());
    if (!type)
      return node.fail(unsupported("expects tensors to scan out, but found " +
                                   toString(row.getType())));
    types.push_back(type);
    next.push_back(row);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

static Value makeTrue(NodeImporter &node) {
  OpBuilder &b = node.getBuilder();
  auto type = RankedTensorType::get({}, b.getI1Type());
  return ConstantOp::create(b, node.getLoc(), type,
                            DenseElementsAttr::get(type, true));
}

/// A boolean of rank 0.
static Value toCondition(NodeImporter &node, Value value) {
  return getRank(value) == 0 ? value : toTensor(node, toScalar(node, value));
}

/// A scalar as the body states its input `index`: some state an axis of 1.
static Value makeArgument(NodeImporter &node, int index, Value scalar) {
  const onnx::GraphProto *body = node.getGraph("body");
  int rank = 0;
  if (body && index < body->input_size())
    rank = body->input(index).type().tensor_type().shape().dim_size();
  return toTensor(node, scalar, std::min(rank, 1));
}

namespace {
class LoopImporter {
public:
  explicit LoopImporter(NodeImporter &node)
      : node(node), trips(node.getInput(0)), condition(node.getInput(1)),
        states(node.getInputs().drop_front(2)) {
    findMoving();
  }

  LogicalResult run();

private:
  void findMoving();
  LogicalResult checkInputs();
  LogicalResult iterate(Value counter, Value goesOn, ValueRange carried,
                        Values &next);
  LogicalResult tryBody(Values &values);
  LogicalResult runCounted(Value count, Values &values);
  LogicalResult runConditional(Values &values);
  LogicalResult finish(ArrayRef<Value> values);

  NodeImporter &node;
  Value trips, condition;
  ArrayRef<Value> states;
  /// The states that an iteration changes. The body takes the others as values
  /// from outside, so that weights stay weights.
  SmallVector<size_t> moving;
  /// The types of what an iteration scans out.
  SmallVector<RankedTensorType> rows;
  SmallVector<Collection> collections;
  /// Whether an iteration says that another one follows, whatever it does.
  bool alwaysGoesOn = false;
};
} // namespace

void LoopImporter::findMoving() {
  const onnx::GraphProto *body = node.getGraph("body");
  for (size_t i = 0; i < states.size(); ++i) {
    int input = 2 + i, output = 1 + i;
    bool isKept = body && input < body->input_size() &&
                  output < body->output_size() &&
                  body->input(input).name() == body->output(output).name();
    if (!isKept)
      moving.push_back(i);
  }
}

LogicalResult LoopImporter::checkInputs() {
  if (trips) {
    auto type = dyn_cast<RankedTensorType>(trips.getType());
    if (failed(expectOne(node, trips,
                         type && type.getElementType().isInteger(64),
                         "one number of iterations of int64")))
      return failure();
  }
  if (condition)
    return expectCondition(node, condition);
  if (!trips)
    return node.fail(malformed("expects a number of iterations or a condition: "
                               "the loop never ends"));
  return success();
}

/// One iteration: to whether another one follows, what is carried on, and a row
/// of each.
LogicalResult LoopImporter::iterate(Value counter, Value goesOn,
                                    ValueRange carried, Values &next) {
  SmallVector<Value> arguments{makeArgument(node, 0, counter),
                               makeArgument(node, 1, toScalar(node, goesOn))};
  // Where nothing else says it, the body sees that the condition is known.
  if (getType(arguments[1]).getRank() == 0)
    arguments[1] = goesOn;
  SmallVector<Value> own(states);
  for (auto [place, value] : llvm::zip_first(moving, carried))
    own[place] = value;
  llvm::append_range(arguments, own);
  Values results;
  if (failed(importBody(node, arguments, 1 + states.size(), results)))
    return failure();
  if (failed(expectCondition(node, results.front())))
    return failure();
  next.push_back(toCondition(node, results.front()));
  for (size_t place : moving)
    next.push_back(results[1 + place]);
  alwaysGoesOn = getKnownCondition(results.front()).value_or(false);
  return scanOut(node, ArrayRef(results).drop_front(1 + states.size()), next,
                 rows);
}

/// Finds what the form of the loop depends on.
LogicalResult LoopImporter::tryBody(Values &values) {
  return settleTypes(
      node, values, [&](Value counter, ValueRange carried, Values &next) {
        if (failed(iterate(counter, makeTrue(node), carried, next)))
          return failure();
        next.erase(next.begin());
        next.truncate(moving.size());
        return success();
      });
}

LogicalResult LoopImporter::runCounted(Value count, Values &values) {
  return makeFor(node, count, collections, values,
                 [&](Value counter, ValueRange carried, Values &next) {
                   if (failed(iterate(counter, makeTrue(node), carried, next)))
                     return failure();
                   next.erase(next.begin());
                   return success();
                 });
}

LogicalResult LoopImporter::runConditional(Values &values) {
  values.insert(values.begin(), toCondition(node, condition));
  for (const Collection &collection : collections)
    values.push_back(collection.none);
  auto body = [&](Value counter, ValueRange carried,
                  Values &next) -> LogicalResult {
    ValueRange own = carried.drop_front().take_front(moving.size());
    if (failed(iterate(counter, carried.front(), own, next)))
      return failure();
    for (auto [i, collection] : llvm::enumerate(collections)) {
      size_t place = 1 + moving.size() + i;
      Value &row = next[place];
      row = addRow(node, collection, carried[place], row);
      if (!row)
        return failure();
    }
    return success();
  };
  Value limit = trips ? toScalar(node, trips) : Value();
  if (failed(makeWhile(node, limit, values, body)))
    return failure();
  values.erase(values.begin());
  return success();
}

/// The states and all rows, from those states that moved and all rows.
LogicalResult LoopImporter::finish(ArrayRef<Value> values) {
  Values outputs(states);
  for (auto [place, value] : llvm::zip_first(moving, values))
    outputs[place] = value;
  llvm::append_range(outputs, values.drop_front(moving.size()));
  return setOutputs(node, outputs);
}

LogicalResult LoopImporter::run() {
  Values values;
  for (size_t place : moving)
    values.push_back(states[place]);
  if (failed(checkInputs()) || failed(tryBody(values)))
    return failure();
  for (RankedTensorType row : rows)
    collections.push_back(makeCollection(node, row, 0, /*isInFront=*/false));
  if (node.getFailure())
    return failure();
  auto starts = condition ? getKnownCondition(condition) : std::optional(true);
  bool counts = starts && (!*starts || !condition || alwaysGoesOn);
  if (!counts)
    return failed(runConditional(values)) ? failure() : finish(values);
  if (*starts && !trips)
    return node.fail(malformed("expects a condition that becomes false: the "
                               "loop never ends"));
  auto known = *starts ? getAllKnownIntegers(trips)
                       : std::optional(SmallVector<int64_t>{0});
  Value count =
      known ? makeScalarConstant(node, known->front()) : toScalar(node, trips);
  if (failed(runCounted(count, values)))
    return failure();
  if (known)
    for (Value &all : MutableArrayRef(values).drop_front(moving.size()))
      all = withSize(node, all, 0, std::max<int64_t>(known->front(), 0));
  return finish(values);
}

static LogicalResult importLoop(NodeImporter &node) {
  return LoopImporter(node).run();
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

namespace {
/// An axis along which a Scan walks, and whether from its end.
struct Track {
  int64_t axis;
  bool isReversed;
};
} // namespace

/// The tracks of `count` tensors from two attributes; nothing on failure.
static std::optional<SmallVector<Track>>
readTracks(NodeImporter &node, StringRef axesName, StringRef directionsName,
           int64_t count, llvm::function_ref<int64_t(int64_t)> rankOf) {
  SmallVector<int64_t> axes = node.getInts(axesName);
  SmallVector<int64_t> directions = node.getInts(directionsName);
  for (auto [name, list] :
       {std::pair(axesName, &axes), std::pair(directionsName, &directions)}) {
    if (list->empty())
      list->assign(count, 0);
    if (static_cast<int64_t>(list->size()) != count) {
      (void)node.fail(malformed("expects " + name + " of " + Twine(count) +
                                " numbers, but found " + Twine(list->size())));
      return std::nullopt;
    }
  }
  SmallVector<Track> tracks;
  for (int64_t i = 0; i < count; ++i) {
    std::optional<int64_t> axis = node.getAxis(axes[i], rankOf(i));
    if (!axis)
      return std::nullopt;
    if (directions[i] != 0 && directions[i] != 1) {
      (void)node.fail(malformed("expects " + directionsName +
                                " of 0 and 1, but found " +
                                Twine(directions[i])));
      return std::nullopt;
    }
    tracks.push_back({*axis, directions[i] != 0});
  }
  return tracks;
}

namespace {
class ScanImporter {
public:
  /// The node with operands that may be parts of its own.
  ScanImporter(NodeImporter &node, ArrayRef<Value> operands,
               StringRef directionsName)
      : node(node), operands(operands), directionsName(directionsName) {}

  /// From the operands to the last states and all rows.
  LogicalResult run(Values &values);

private:
  LogicalResult iterate(Value counter, ValueRange carried, Values &next);
  LogicalResult readOutputs();

  NodeImporter &node;
  ArrayRef<Value> operands;
  StringRef directionsName;
  ArrayRef<Value> states, inputs;
  SmallVector<Track> inputTracks, outputTracks;
  /// The types of what an iteration scans out.
  SmallVector<RankedTensorType> rows;
};
} // namespace

LogicalResult ScanImporter::iterate(Value counter, ValueRange carried,
                                    Values &next) {
  Value at = toTensor(node, counter);
  Value fromEnd = toTensor(node, countFromEnd(node, counter));
  SmallVector<Value> arguments(carried.begin(), carried.end());
  for (auto [input, track] : llvm::zip_equal(inputs, inputTracks)) {
    arguments.push_back(node.make<GatherOp>(
        getElementType(input), {input, track.isReversed ? fromEnd : at},
        node.attr("axis", track.axis)));
    if (!arguments.back())
      return failure();
  }
  Values results;
  if (failed(importBody(node, arguments, states.size(), results)))
    return failure();
  next.append(results.begin(), results.begin() + states.size());
  return scanOut(node, ArrayRef(results).drop_front(states.size()), next, rows);
}

LogicalResult ScanImporter::readOutputs() {
  auto tracks =
      readTracks(node, "scan_output_axes", "scan_output_directions",
                 rows.size(), [&](int64_t i) { return rows[i].getRank() + 1; });
  if (tracks)
    outputTracks = *tracks;
  return success(tracks.has_value());
}

LogicalResult ScanImporter::run(Values &values) {
  int64_t numScanned = node.getInt("num_scan_inputs", 0);
  int64_t numStates = operands.size() - numScanned;
  if (numScanned < 1 || numStates < 0)
    return node.fail(malformed("expects num_scan_inputs from 1 to " +
                               Twine(operands.size()) + ", but found " +
                               Twine(numScanned)));
  states = operands.take_front(numStates);
  inputs = operands.drop_front(numStates);
  auto tracks = readTracks(node, "scan_input_axes", directionsName, numScanned,
                           [&](int64_t i) { return getRank(inputs[i]); });
  if (!tracks)
    return failure();
  inputTracks = *tracks;
  auto body = [&](Value counter, ValueRange carried, Values &next) {
    return iterate(counter, carried, next);
  };
  values.assign(states.begin(), states.end());
  auto trial = [&](Value counter, ValueRange carried, Values &next) {
    if (failed(iterate(counter, carried, next)))
      return failure();
    next.truncate(numStates);
    return success();
  };
  if (failed(settleTypes(node, values, trial)) || failed(readOutputs()))
    return failure();
  SmallVector<Collection> collections;
  for (auto [row, track] : llvm::zip_equal(rows, outputTracks))
    collections.push_back(
        makeCollection(node, row, track.axis, track.isReversed));
  if (node.getFailure() ||
      failed(makeFor(node, getDim(node, inputs[0], inputTracks[0].axis),
                     collections, values, body)))
    return failure();
  int64_t size = getType(inputs[0]).getDimSize(inputTracks[0].axis);
  if (!ShapedType::isDynamic(size))
    for (auto [i, track] : llvm::enumerate(outputTracks))
      values[numStates + i] =
          withSize(node, values[numStates + i], track.axis, size);
  return success();
}

static LogicalResult importScan(NodeImporter &node) {
  Values values;
  if (failed(ScanImporter(node, node.getInputs(), "scan_input_directions")
                 .run(values)))
    return failure();
  return setOutputs(node, values);
}

/// The form of opset 8: all tensors have a batch in front, of which each is
/// scanned by itself.
static LogicalResult importScanOfBatches(NodeImporter &node) {
  if (node.getInput(0))
    return node.fail(unsupported("sequence_lens are not supported",
                                 "convert the model to opset 9 or later"));
  ArrayRef<Value> batches = node.getInputs().drop_front();
  if (batches.empty())
    return node.fail(malformed("expects a tensor to scan"));
  for (Value batch : batches)
    if (failed(node.expectRank(batch, 1, "all tensors")))
      return failure();
  SmallVector<RankedTensorType> rows;
  auto scan = [&](Value counter, ValueRange, Values &next) -> LogicalResult {
    Value at = toTensor(node, counter);
    SmallVector<Value> operands;
    for (Value batch : batches) {
      operands.push_back(node.make<GatherOp>(getElementType(batch), {batch, at},
                                             node.attr("axis", int64_t(0))));
      if (!operands.back())
        return failure();
    }
    if (failed(ScanImporter(node, operands, "directions").run(next)))
      return failure();
    rows.clear();
    for (Value value : next)
      rows.push_back(getType(value));
    return success();
  };
  auto trial = [&](Value counter, ValueRange carried, Values &next) {
    LogicalResult result = scan(counter, carried, next);
    next.clear();
    return result;
  };
  Values values;
  if (failed(settleTypes(node, values, trial)))
    return failure();
  SmallVector<Collection> collections;
  for (RankedTensorType row : rows)
    collections.push_back(makeCollection(node, row, 0, /*isInFront=*/false));
  if (node.getFailure() || failed(makeFor(node, getDim(node, batches[0], 0),
                                          collections, values, scan)))
    return failure();
  return setOutputs(node, values);
}

ArrayRef<Operator> qopt::importer::getControlFlowOperators() {
  static constexpr const char *branches =
      "branches give tensors of one rank, unless the condition is known";
  static constexpr const char *carried =
      "carried tensors keep their rank; tensors alone are scanned out";
  static constexpr bool takesLists = true;
  static constexpr Operator rows[] = {
      {"If", 7, 1, 1, importIf, branches},
      {"Loop", 7, 2, kAnyNumber, importLoop, carried, takesLists, 2},
      {"Scan", 8, 1, kAnyNumber, importScanOfBatches, "", !takesLists, 1},
      {"Scan", 9, 1, kAnyNumber, importScan,
       "no sequence_lens; carried tensors keep their rank; tensors alone are "
       "scanned out"},
  };
  return rows;
}
