//===- SelectionOperators.cpp - Parts that data choose --------------------===//
//
// Lists of positions are made first; a gather or scatter does the rest.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"
#include "llvm/ADT/StringExtras.h"
#include <map>

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// The positions of a list of booleans that are true.
static Value findTrue(Composer &c, Value mask) {
  NodeImporter &node = c.getNode();
  Type word = node.getBuilder().getI64Type();
  Value count = c.reduce(ReduceKind::Sum, c.cast(mask, word), 0,
                         /*keepDims=*/false);
  if (!count)
    return {};
  return c.reshape(node.make<NonZeroOp>(word, {mask, count}), -1);
}

static LogicalResult importCompress(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), mask = node.getInput(1);
  if (failed(node.expectElementType(mask, getElementType(mask).isInteger(1),
                                    "a condition of booleans")))
    return failure();
  if (getRank(mask) != 1)
    return node.fail(malformed("expects a condition of rank 1, but found " +
                               toString(mask.getType())));
  int64_t axis = 0;
  if (node.hasAttribute("axis")) {
    auto counted = node.getAxis(node.getInt("axis", 0), getRank(x));
    if (!counted)
      return failure();
    axis = *counted;
  } else {
    x = c.reshape(x, -1);
  }
  return node.setOutput(0, c.gather(x, findTrue(c, mask), axis));
}

/// Rows of `update` written to where `write_indices` say, batch by batch.
static LogicalResult importTensorScatter(NodeImporter &node) {
  Composer c(node);
  Value past = node.getInput(0), update = node.getInput(1);
  Value first = node.getInput(2);
  int64_t rank = getRank(past);
  std::string mode = node.getString("mode", "linear");
  auto axis = node.getAxis(node.getInt("axis", -2), rank);
  if (!axis || failed(node.expectSameElementType(past, update)))
    return failure();
  if (mode != "linear" && mode != "circular")
    return node.fail(
        malformed("attribute \"mode\" has no value " + quote(mode)));
  if (getRank(update) != rank || *axis == 0)
    return node.fail(malformed("expects an update of the rank of the cache and "
                               "an axis behind the batch"));
  SmallVector<int64_t> behind =
      llvm::to_vector(llvm::seq<int64_t>(1, rank - *axis));
  Value at = c.unsqueeze(c.positionsOf(update, *axis), behind);
  if (first) {
    if (failed(node.expectIndices(first, "write_indices")) ||
        getRank(first) != 1)
      return node.fail(malformed("expects write_indices of rank 1"));
    first = c.cast(first, node.getBuilder().getI64Type());
    at = c.add(
        at, c.unsqueeze(first, llvm::to_vector(llvm::seq<int64_t>(1, rank))));
  }
  if (mode == "circular")
    at = c.of<ModOp>(at, c.reshape(c.dimOf(past, *axis), c.integers({})));
  Value indices = c.expand(at, c.shapeOf(update));
  auto kind =
      ScatterKindAttr::get(node.getBuilder().getContext(), ScatterKind::Set);
  return node.setOutput(0,
                        c.make<ScatterElementsOp>({past, indices, update},
                                                  {node.attr("axis", *axis),
                                                   node.attr("kind", kind)}));
}

/// The middle of each axis, or zeros around it.
static LogicalResult importCenterCropPad(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  int64_t rank = getRank(x);
  auto count = node.getListSize(1, "shape");
  SmallVector<int64_t> axes = node.getInts("axes");
  if (!node.hasAttribute("axes"))
    axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (!count || !node.getAxes(axes, rank))
    return failure();
  if (*count != static_cast<int64_t>(axes.size()))
    return node.fail(malformed("expects a size for each of " +
                               Twine(axes.size()) + " axes, but found " +
                               Twine(*count)));
  Value sizes = c.cast(node.getInput(1), node.getBuilder().getI64Type());
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t at = axis < 0 ? axis + rank : axis;
    Value want = c.slice(sizes, 0, i, i + 1), have = c.dimOf(x, at);
    // Cut first, then pad; of an odd number the end takes one more.
    Value cut = c.div(c.of<MaxOp>(c.sub(have, want), 0.0), 2);
    Value kept = c.of<MinOp>(have, want);
    Value before = c.div(c.of<MaxOp>(c.sub(want, have), 0.0), 2);
    x = c.slice(x, at, cut, c.add(cut, kept));
    // Position p of the result is element p - before.
    Value places = c.sub(c.range(c.integers(0), want), before);
    Value inside = c.of<MaxOp>(c.of<MinOp>(places, c.sub(kept, 1)), 0.0);
    Value isInside = c.of<AndOp>(c.test<GreaterOrEqualOp>(places, 0.0),
                                 c.test<LessOp>(places, kept));
    if (!x)
      return failure();
    SmallVector<int64_t> behind =
        llvm::to_vector(llvm::seq<int64_t>(1, rank - at));
    x = c.where(c.unsqueeze(isInside, behind), c.gather(x, inside, at), 0);
  }
  return node.setOutput(0, x);
}

//===----------------------------------------------------------------------===//
// Unique
//===----------------------------------------------------------------------===//

namespace {
/// The keys of a list in ascending order, and where they stood. Of equal ones
/// those that stood in front come first.
struct Sorted {
  Value keys, order;
};
} // namespace

static Sorted sortList(Composer &c, Value keys) {
  if (!keys)
    return {};
  NodeImporter &node = c.getNode();
  auto values = RankedTensorType::get({}, getElementType(keys));
  auto places = RankedTensorType::get({}, node.getBuilder().getI64Type());
  auto op = TopKOp::create(
      node.getBuilder(), node.getLoc(), TypeRange{values, places},
      ValueRange{keys, c.dimOf(keys, 0)},
      ArrayRef<NamedAttribute>{node.attr("axis", int64_t(0)),
                               node.attr("largest", false)});
  if (failed(node.finish(op)))
    return {};
  return {op.getValues(), op.getIndices()};
}

/// The order of the rows of a matrix of `size` columns by their first number,
/// of equal ones by the next: sorted by the last column first.
static Value sortRows(Composer &c, Value rows, int64_t size) {
  Value order = c.positionsOf(rows, 0);
  for (int64_t column = size - 1; column >= 0; --column) {
    Value keys = c.reshape(c.slice(rows, 1, column, column + 1), -1);
    order = c.gather(order, sortList(c, c.gather(keys, order, 0)).order, 0);
  }
  return order;
}

/// Elements, or parts along an axis, in ascending order, each once: with the
/// place of the first of them, for each one of x the place among these, and
/// their numbers.
static LogicalResult importUnique(NodeImporter &node) {
  Composer c(node);
  OpBuilder &builder = node.getBuilder();
  Type word = builder.getI64Type();
  constexpr int64_t end = std::numeric_limits<int64_t>::max();
  bool isSorted = node.getInt("sorted", 1) != 0;
  Value x = node.getInput(0);
  if (failed(node.expectElementType(x, !getElementType(x).isInteger(1),
                                    "a tensor of numbers")))
    return failure();
  bool hasParts = node.hasAttribute("axis") && getRank(x) > 1;
  int64_t axis = 0;
  if (node.hasAttribute("axis")) {
    auto counted = node.getAxis(node.getInt("axis", 0), getRank(x));
    if (!counted)
      return failure();
    axis = *counted;
  }
  if (!hasParts)
    x = c.reshape(x, -1);
  // Each part is a row, in which elements stand in row-major order.
  Value rows = x, order, differs;
  if (hasParts) {
    constexpr int64_t most = 64;
    int64_t size = 1;
    for (auto [i, dim] : llvm::enumerate(getType(x).getShape()))
      if (static_cast<int64_t>(i) != axis)
        size = ShapedType::isDynamic(dim) || dim > most || size > most
                   ? most + 1
                   : size * dim;
    if (size < 1 || size > most)
      return node.fail(unsupported(
          "expects parts along the axis of 1 to 64 elements, but found " +
              toString(x.getType()),
          "find them outside of the model; without an axis there is no limit"));
    SmallVector<int64_t> perm{axis};
    for (int64_t i = 0; i < getRank(x); ++i)
      if (i != axis)
        perm.push_back(i);
    rows = c.reshape(c.transpose(x, perm), {-1, size});
    order = sortRows(c, rows, size);
    Value sorted = c.gather(rows, order, 0);
    Value isOther = c.negate(
        c.test<EqualOp>(c.slice(sorted, 0, 1, end), c.slice(sorted, 0, 0, -1)));
    differs = c.reduce(ReduceKind::Max, isOther, 1, /*keepDims=*/false);
  } else {
    Sorted sorted = sortList(c, rows);
    order = sorted.order;
    differs = c.negate(c.test<EqualOp>(c.slice(sorted.keys, 0, 1, end),
                                       c.slice(sorted.keys, 0, 0, -1)));
  }
  if (!order || !differs)
    return failure();
  // What differs from the one in front begins a group.
  Value first = c.expand(c.number(1, builder.getI1Type()),
                         c.of<MinOp>(c.dimOf(rows, 0), c.integers(1)));
  Value begins = c.concat({first, differs}, 0);
  Value running =
      c.make<CumSumOp>(c.cast(begins, word), {node.attr("axis", int64_t(0)),
                                              node.attr("exclusive", false),
                                              node.attr("reverse", false)});
  Value group = c.sub(running, 1);
  Value starts = findTrue(c, begins);
  Value ends = c.concat({c.slice(starts, 0, 1, end), c.dimOf(rows, 0)}, 0);
  Value numbers = c.sub(ends, starts);
  Value places = c.gather(order, starts, 0);
  // The group of each one in the order of x.
  Value inverse = c.gather(group, sortList(c, order).order, 0);
  if (!isSorted) { // in the order of their first places
    Value byPlace = sortList(c, places).order;
    numbers = c.gather(numbers, byPlace, 0);
    places = c.gather(places, byPlace, 0);
    inverse = c.gather(sortList(c, byPlace).order, inverse, 0);
  }
  return success(succeeded(node.setOutput(0, c.gather(x, places, axis))) &&
                 succeeded(node.setOutput(1, places)) &&
                 succeeded(node.setOutput(2, inverse)) &&
                 succeeded(node.setOutput(3, numbers)));
}

//===----------------------------------------------------------------------===//
// Einsum
//===----------------------------------------------------------------------===//

namespace {
/// Letters of the axes of each operand and of the result. Axes of an ellipsis
/// are capital letters of no alphabet: numbers from 256 on.
struct Equation {
  SmallVector<SmallVector<int>> operands;
  SmallVector<int> result;
};
} // namespace

/// The axes that one term of an equation names.
static std::optional<SmallVector<int>> readTerm(StringRef term,
                                                int64_t hidden) {
  SmallVector<int> axes;
  while (!term.empty()) {
    if (term.consume_front("...")) {
      for (int64_t i = 0; i < hidden; ++i)
        axes.push_back(256 + i - hidden);
      continue;
    }
    if (!llvm::isAlpha(term.front()))
      return std::nullopt;
    axes.push_back(term.front());
    term = term.drop_front();
  }
  return axes;
}

static std::optional<Equation> readEquation(NodeImporter &node) {
  std::string text = node.getString("equation", "");
  llvm::erase(text, ' ');
  auto fail = [&] {
    (void)node.fail(malformed(
        "attribute \"equation\" does not fit the inputs: " + quote(text)));
    return std::nullopt;
  };
  auto [left, right] = StringRef(text).split("->");
  bool hasResult = StringRef(text).contains("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != node.getNumInputs())
    return fail();
  Equation equation;
  int64_t most = 0;
  for (auto [i, term] : llvm::enumerate(terms)) {
    int64_t named = llvm::count_if(term, llvm::isAlpha);
    int64_t hidden = getRank(node.getInput(i)) - named;
    bool hasDots = term.contains("...");
    if (hidden < 0 || (!hasDots && hidden != 0))
      return fail();
    most = std::max(most, hidden);
    auto axes = readTerm(term, hidden);
    if (!axes)
      return fail();
    equation.operands.push_back(*axes);
  }
  if (hasResult) {
    auto axes = readTerm(right, most);
    if (!axes)
      return fail();
    equation.result = *axes;
  } else {
    // The ellipsis, then letters that occur once, in their order.
    std::map<int, int> counts;
    for (const auto &operand : equation.operands)
      for (int axis : operand)
        ++counts[axis];
    for (int64_t i = 0; i < most; ++i)
      equation.result.push_back(256 + i - most);
    for (auto [axis, count] : counts)
      if (count == 1 && axis < 128)
        equation.result.push_back(axis);
  }
  for (int axis : equation.result)
    if (llvm::none_of(equation.operands,
                      [&](const auto &operand) {
                        return llvm::is_contained(operand, axis);
                      }) ||
        llvm::count(equation.result, axis) != 1)
      return fail();
  return equation;
}

/// Where an operand names an axis twice, its diagonal.
static Value takeDiagonals(Composer &c, Value x, SmallVector<int> &axes) {
  for (size_t i = 0; i < axes.size() && x; ++i) {
    auto again = std::find(axes.begin() + i + 1, axes.end(), axes[i]);
    if (again == axes.end())
      continue;
    size_t j = again - axes.begin();
    // Zero but for the diagonal, and the sum along the second axis.
    int64_t rank = getRank(x);
    Value rows = c.unsqueeze(c.positionsOf(x, i),
                             llvm::to_vector(llvm::seq<int64_t>(1, rank - i)));
    Value columns = c.unsqueeze(
        c.positionsOf(x, j), llvm::to_vector(llvm::seq<int64_t>(1, rank - j)));
    x = c.where(c.test<EqualOp>(rows, columns), x, 0);
    x = c.reduce(ReduceKind::Sum, x, static_cast<int64_t>(j),
                 /*keepDims=*/false);
    axes.erase(again);
    --i;
  }
  return x;
}

/// `x` with the axes `axes` as one of the axes `all`, 1 where it has none.
static Value arrange(Composer &c, Value x, ArrayRef<int> axes,
                     ArrayRef<int> all) {
  SmallVector<int64_t> perm, missing;
  for (auto [i, axis] : llvm::enumerate(all)) {
    auto found = llvm::find(axes, axis);
    if (found == axes.end())
      missing.push_back(i);
    else
      perm.push_back(found - axes.begin());
  }
  return x ? c.unsqueeze(c.transpose(x, perm), missing) : Value();
}

/// The dims of some axes, as one number.
static Value joinDims(Composer &c, Value x, ArrayRef<int> axes,
                      ArrayRef<int> joined) {
  SmallVector<Value> dims{c.integers(1)};
  for (int axis : joined)
    dims.push_back(c.dimOf(x, llvm::find(axes, axis) - axes.begin()));
  return c.productOf(c.concat(dims, 0));
}

/// Two operands by a matrix product; axes that only one of them has and the
/// result has not are summed up already.
static Value multiplyPair(Composer &c, Value x, ArrayRef<int> xAxes, Value y,
                          ArrayRef<int> yAxes, ArrayRef<int> kept,
                          SmallVector<int> &axes) {
  SmallVector<int> batch, summed, left, right;
  for (int axis : xAxes)
    if (!llvm::is_contained(yAxes, axis))
      left.push_back(axis);
    else
      (llvm::is_contained(kept, axis) ? batch : summed).push_back(axis);
  for (int axis : yAxes)
    if (!llvm::is_contained(xAxes, axis))
      right.push_back(axis);
  SmallVector<int> xOrder(batch), yOrder(batch);
  xOrder.append(left), xOrder.append(summed);
  yOrder.append(summed), yOrder.append(right);
  axes = batch;
  axes.append(left), axes.append(right);
  Value a = arrange(c, x, xAxes, xOrder), b = arrange(c, y, yAxes, yOrder);
  if (!a || !b)
    return {};
  SmallVector<Value> outer;
  for (size_t i = 0; i < batch.size(); ++i)
    outer.push_back(c.of<MaxOp>(c.dimOf(a, i), c.dimOf(b, i)));
  auto matrix = [&](Value value, ArrayRef<int> order, ArrayRef<int> rows,
                    ArrayRef<int> columns) {
    SmallVector<Value> dims;
    for (size_t i = 0; i < batch.size(); ++i)
      dims.push_back(c.dimOf(value, i));
    dims.push_back(joinDims(c, value, order, rows));
    dims.push_back(joinDims(c, value, order, columns));
    return c.reshape(value, c.concat(dims, 0));
  };
  Value product = c.matmul(matrix(a, xOrder, left, summed),
                           matrix(b, yOrder, summed, right));
  SmallVector<Value> dims(outer);
  for (int axis : left)
    dims.push_back(c.dimOf(a, llvm::find(xOrder, axis) - xOrder.begin()));
  for (int axis : right)
    dims.push_back(c.dimOf(b, llvm::find(yOrder, axis) - yOrder.begin()));
  return c.reshape(product, dims.empty() ? c.integers({}) : c.concat(dims, 0));
}

static LogicalResult importEinsum(NodeImporter &node) {
  Composer c(node);
  auto equation = readEquation(node);
  if (!equation)
    return failure();
  Type type = getElementType(node.getInput(0));
  bool isFloat = isa<FloatType>(type);
  Type f32 = node.getBuilder().getF32Type();
  bool isHalf = type.isF16() || type.isBF16();
  Value total;
  SmallVector<int> axes;
  for (auto [i, input] : llvm::enumerate(node.getInputs())) {
    if (failed(node.expectSameElementType(node.getInput(0), input)))
      return failure();
    SmallVector<int> own = equation->operands[i];
    Value x = takeDiagonals(c, isHalf ? c.cast(input, f32) : input, own);
    // What the result and later operands do not have is summed up now.
    SmallVector<int> later(equation->result);
    for (size_t j = i + 1; j < equation->operands.size(); ++j)
      later.append(equation->operands[j]);
    auto sumAlone = [&](Value value, SmallVector<int> &of,
                        ArrayRef<int> other) {
      SmallVector<int64_t> alone;
      SmallVector<int> rest;
      for (auto [at, axis] : llvm::enumerate(of)) {
        bool isUsed =
            llvm::is_contained(later, axis) || llvm::is_contained(other, axis);
        isUsed ? rest.push_back(axis) : alone.push_back(at);
      }
      of = rest;
      return alone.empty() ? value
                           : c.reduce(ReduceKind::Sum, value, alone,
                                      /*keepDims=*/false);
    };
    x = sumAlone(x, own, axes);
    if (!x)
      return failure();
    if (!total) {
      total = x, axes = own;
      continue;
    }
    bool sharesOnes = llvm::any_of(own, [&](int axis) { return axis >= 128; });
    SmallVector<int> joined;
    if (isFloat && !sharesOnes) {
      total = multiplyPair(c, total, axes, x, own, later, joined);
    } else {
      joined = axes;
      for (int axis : own)
        if (!llvm::is_contained(joined, axis))
          joined.push_back(axis);
      llvm::sort(joined);
      total =
          c.mul(arrange(c, total, axes, joined), arrange(c, x, own, joined));
      total = sumAlone(total, joined, {});
    }
    axes = joined;
    if (!total)
      return failure();
  }
  return node.setOutput(
      0, c.cast(arrange(c, total, axes, equation->result), type));
}

ArrayRef<Operator> qopt::importer::getSelectionOperators() {
  static constexpr Operator rows[] = {
      {"CenterCropPad", 18, 2, 2, importCenterCropPad},
      {"Compress", 9, 2, 2, importCompress},
      {"Einsum", 12, 1, kAnyNumber, importEinsum},
      {"TensorScatter", 24, 2, 3, importTensorScatter},
      {"Unique", 11, 1, 1, importUnique,
       "elements, or parts of at most 64 along an axis; no booleans"},
  };
  return rows;
}
