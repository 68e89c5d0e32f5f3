//===- ControlFlow.cpp - Branches and loops around imported ops -----------===//
//
// The ops of control flow carry values of one type each. An op that changes
// nothing but the type stands where a value is known better than that.
//
//===----------------------------------------------------------------------===//

#include "ControlFlow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

//===----------------------------------------------------------------------===//
// Scalars of control flow
//===----------------------------------------------------------------------===//

Value qopt::importer::makeScalarConstant(NodeImporter &node, int64_t value) {
  OpBuilder &b = node.getBuilder();
  return arith::ConstantOp::create(b, node.getLoc(),
                                   b.getI64IntegerAttr(value));
}

Value qopt::importer::toScalar(NodeImporter &node, Value tensor) {
  OpBuilder &b = node.getBuilder();
  SmallVector<Value> indices;
  for (int64_t i = 0; i < getRank(tensor); ++i)
    indices.push_back(
        arith::ConstantOp::create(b, node.getLoc(), b.getIndexAttr(0)));
  return tensor::ExtractOp::create(b, node.getLoc(), tensor, indices);
}

Value qopt::importer::toTensor(NodeImporter &node, Value scalar, int64_t rank) {
  auto type =
      RankedTensorType::get(SmallVector<int64_t>(rank, 1), scalar.getType());
  return tensor::FromElementsOp::create(node.getBuilder(), node.getLoc(), type,
                                        scalar);
}

Value qopt::importer::getDim(NodeImporter &node, Value x, int64_t axis) {
  int64_t size = getType(x).getDimSize(axis);
  if (!ShapedType::isDynamic(size))
    return makeScalarConstant(node, size);
  Value dims = node.make<ShapeOp>(
      node.getBuilder().getI64Type(), x,
      {node.attr("start", axis), node.attr("end", axis + 1)});
  return dims ? toScalar(node, dims) : Value();
}

Value qopt::importer::countFromEnd(NodeImporter &node, Value position) {
  return arith::XOrIOp::create(node.getBuilder(), node.getLoc(), position,
                               makeScalarConstant(node, -1));
}

//===----------------------------------------------------------------------===//
// Values of more than one type
//===----------------------------------------------------------------------===//

static TensorType joinTensors(TensorType a, TensorType b) {
  auto x = dyn_cast<RankedTensorType>(a), y = dyn_cast<RankedTensorType>(b);
  if (a.getElementType() != b.getElementType())
    return {};
  // Only the elements of an empty sequence have no rank: it says nothing.
  if (!x || !y)
    return x ? a : b;
  if (x.getRank() != y.getRank())
    return {};
  SmallVector<int64_t> shape(x.getShape());
  for (auto [dim, other] : llvm::zip_equal(shape, y.getShape()))
    if (dim != other)
      dim = ShapedType::kDynamic;
  return x.clone(shape);
}

Type qopt::importer::joinTypes(NodeImporter &node, Type a, Type b,
                               const Twine &what) {
  Type joined = a == b ? a : Type();
  if (auto x = dyn_cast<TensorType>(a), y = dyn_cast<TensorType>(b); x && y)
    joined = joinTensors(x, y);
  auto s = dyn_cast<SequenceType>(a), t = dyn_cast<SequenceType>(b);
  if (s && t)
    if (TensorType element = joinTensors(s.getElement(), t.getElement()))
      joined = SequenceType::get(a.getContext(), element);
  if (!joined)
    (void)node.fail(unsupported(what +
                                    " are not of one element type and rank, "
                                    "but " +
                                    toString(a) + " and " + toString(b),
                                "where the dims of inputs decide what is run, "
                                "give them with --shapes"));
  return joined;
}

Value qopt::importer::withType(NodeImporter &node, Value value, Type type) {
  if (!value || value.getType() == type)
    return value;
  if (isa<RankedTensorType>(type))
    return node.makeTyped<SqueezeOp>(type, value,
                                     node.attr("axes", ArrayRef<int64_t>()));
  auto sequence = value.getDefiningOp<SequenceConstructOp>();
  if (sequence && sequence.getInputs().empty())
    return node.makeTyped<SequenceConstructOp>(type, ValueRange());
  (void)node.fail(unsupported("sequences of " + toString(value.getType()) +
                              " are not carried as " + toString(type)));
  return {};
}

//===----------------------------------------------------------------------===//
// Tensors that grow
//===----------------------------------------------------------------------===//

/// Zeros; open dims are 0.
static Value makeZeros(NodeImporter &node, RankedTensorType type) {
  SmallVector<int64_t> dims(type.getShape());
  for (int64_t &dim : dims)
    if (ShapedType::isDynamic(dim))
      dim = 0;
  OpBuilder &b = node.getBuilder();
  Type element = type.getElementType();
  auto zero = DenseElementsAttr::get(RankedTensorType::get({1}, element),
                                     cast<Attribute>(b.getZeroAttr(element)));
  Value zeros = node.make<ConstantOfShapeOp>(
      element, makeIntegers(b, node.getLoc(), dims), node.attr("value", zero));
  return zeros ? withType(node, zeros, type) : Value();
}

Collection qopt::importer::makeCollection(NodeImporter &node,
                                          RankedTensorType row, int64_t axis,
                                          bool isInFront) {
  SmallVector<int64_t> dims(row.getShape());
  dims.insert(dims.begin() + axis, ShapedType::kDynamic);
  return {makeZeros(node, row.clone(dims)), axis, isInFront,
          row.hasStaticShape()};
}

/// `rows` and `more` of them.
static Value joinRows(NodeImporter &node, const Collection &collection,
                      Value rows, Value more) {
  if (!more)
    return {};
  auto join = [&](Values &results) -> LogicalResult {
    SmallVector<Value> parts{rows, more};
    if (collection.isInFront)
      std::swap(parts[0], parts[1]);
    results.push_back(node.make<ConcatOp>(getElementType(more), parts,
                                          node.attr("axis", collection.axis)));
    return success(results.back() != nullptr);
  };
  Values results;
  if (collection.hasDims)
    return succeeded(join(results)) ? results.front() : Value();
  // The first row tells the dims that nothing else does.
  Value size = getDim(node, rows, collection.axis);
  if (!size)
    return {};
  Value isFirst = arith::CmpIOp::create(node.getBuilder(), node.getLoc(),
                                        arith::CmpIPredicate::eq, size,
                                        makeScalarConstant(node, 0));
  auto start = [&](Values &results) -> LogicalResult {
    results.push_back(more);
    return success();
  };
  return succeeded(makeIf(node, isFirst, start, join, results))
             ? results.front()
             : Value();
}

Value qopt::importer::addRow(NodeImporter &node, const Collection &collection,
                             Value rows, Value row) {
  return joinRows(
      node, collection, rows,
      node.make<UnsqueezeOp>(getElementType(row), row,
                             node.attr("axes", ArrayRef{collection.axis})));
}

Value qopt::importer::withSize(NodeImporter &node, Value rows, int64_t axis,
                               int64_t size) {
  SmallVector<int64_t> dims(getType(rows).getShape());
  dims[axis] = size;
  if (ShapedType::isDynamicShape(dims))
    return rows;
  return node.make<ReshapeOp>(
      getElementType(rows),
      {rows, makeIntegers(node.getBuilder(), node.getLoc(), dims)},
      node.attr("allow_zero", true));
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

/// As often the types of what is carried are found by what an iteration does.
static constexpr int kMaxAttempts = 4;

/// The type of a tensor of which nothing but the rank is known.
static Type withoutDims(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  return tensor.clone(
      SmallVector<int64_t>(tensor.getRank(), ShapedType::kDynamic));
}

/// True where no iteration reads what is carried: exporters begin it with any
/// number.
static bool isPlaceholder(BlockArgument argument, Type next) {
  auto before = dyn_cast<RankedTensorType>(argument.getType());
  auto after = dyn_cast<RankedTensorType>(next);
  return before && after && argument.use_empty() &&
         before.getElementType() == after.getElementType() &&
         before.getRank() != after.getRank();
}

static bool hasOneElement(RankedTensorType type) {
  return type && type.hasStaticShape() && type.getNumElements() == 1;
}

/// A tensor of one element as one of `rank`.
static Value withRank(NodeImporter &node, Value value, int64_t rank) {
  return node.make<ReshapeOp>(
      getElementType(value),
      {value, makeIntegers(node.getBuilder(), node.getLoc(),
                           SmallVector<int64_t>(rank, 1))},
      node.attr("allow_zero", true));
}

/// One element of another rank as `type`; any other value as it is.
static Value levelOneElement(NodeImporter &node, Value value, Type type) {
  auto from = dyn_cast<RankedTensorType>(value.getType());
  auto to = dyn_cast<RankedTensorType>(type);
  if (!hasOneElement(from) || !hasOneElement(to) ||
      from.getRank() == to.getRank())
    return value;
  return withRank(node, value, to.getRank());
}

/// Fills the one block of `region` by `body`, from a counter and values of
/// `types` to values of the same types; `types` become less precise until that
/// holds. `next` is what the block carries on.
static LogicalResult makeBody(NodeImporter &node, Region &region,
                              SmallVectorImpl<Type> &types, LoopBody body,
                              Values &next) {
  OpBuilder &b = node.getBuilder();
  OpBuilder::InsertionGuard guard(b);
  int attempt = 0;
  for (bool isStable = false; !isStable; ++attempt) {
    if (attempt == kMaxAttempts)
      for (Type &type : types)
        type = withoutDims(type);
    region.dropAllReferences();
    region.getBlocks().clear();
    node.forgetBodies();
    next.clear();
    Block &block = region.emplaceBlock();
    Location loc = node.getLoc();
    Value counter = block.addArgument(b.getI64Type(), loc);
    auto carried =
        block.addArguments(types, SmallVector<Location>(types.size(), loc));
    b.setInsertionPointToEnd(&block);
    SmallVector<Value> arguments(carried.begin(), carried.end());
    if (failed(body(counter, arguments, next)))
      return failure();
    isStable = true;
    for (auto [type, value, argument] :
         llvm::zip_equal(types, next, block.getArguments().drop_front())) {
      if (!argument.use_empty() &&
          !(value = levelOneElement(node, value, type)))
        return failure();
      Type joined = isPlaceholder(argument, value.getType())
                        ? value.getType()
                        : joinTypes(node, type, value.getType(),
                                    "values before and after an iteration");
      if (!joined)
        return failure();
      isStable &= joined == type;
      type = joined;
    }
  }
  for (auto [type, value] : llvm::zip_equal(types, next))
    if (!(value = withType(node, value, type)))
      return failure();
  return success();
}

static SmallVector<Type> typesOf(ValueRange values) {
  return llvm::to_vector(values.getTypes());
}

static LogicalResult setTypes(NodeImporter &node, Values &values,
                              TypeRange types) {
  for (auto [value, type] : llvm::zip_equal(values, types)) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    auto own = dyn_cast<RankedTensorType>(value.getType());
    // No iteration reads it.
    if (tensor && own && tensor.getRank() != own.getRank())
      value = makeZeros(node, tensor);
    if (!(value = withType(node, value, type)))
      return failure();
  }
  return success();
}

LogicalResult qopt::importer::settleTypes(NodeImporter &node, Values &carried,
                                          LoopBody body) {
  SmallVector<Type> types = typesOf(carried);
  {
    Region region;
    Values next;
    if (failed(makeBody(node, region, types, body, next)))
      return failure();
  }
  node.forgetBodies();
  return setTypes(node, carried, types);
}

/// A loop from `begin` to `end`.
static LogicalResult makeSteps(NodeImporter &node, Value begin, Value end,
                               int64_t step, Values &carried, LoopBody body) {
  if (!begin || !end)
    return failure();
  OpBuilder &b = node.getBuilder();
  SmallVector<Type> types = typesOf(carried);
  Region region;
  Values next;
  if (failed(makeBody(node, region, types, body, next)) ||
      failed(setTypes(node, carried, types)))
    return failure();
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&region.front());
    scf::YieldOp::create(b, node.getLoc(), next);
  }
  auto loop = scf::ForOp::create(b, node.getLoc(), begin, end,
                                 makeScalarConstant(node, step), carried);
  loop.getRegion().takeBody(region);
  carried.assign(loop.getResults().begin(), loop.getResults().end());
  return success();
}

/// The same of iterations that add rows to `carried`, whose last values are
/// those by now.
static LogicalResult addRows(NodeImporter &node, Value begin, Value end,
                             ArrayRef<Collection> collections, Values &carried,
                             LoopBody body) {
  size_t count = carried.size() - collections.size();
  return makeSteps(
      node, begin, end, 1, carried,
      [&](Value counter, ValueRange values, Values &next) -> LogicalResult {
        Values made;
        if (failed(body(counter, values.take_front(count), made)))
          return failure();
        next.assign(made.begin(), made.begin() + count);
        for (auto [collection, rows, row] :
             llvm::zip_equal(collections, values.drop_front(count),
                             ArrayRef(made).drop_front(count))) {
          next.push_back(addRow(node, collection, rows, row));
          if (!next.back())
            return failure();
        }
        return success();
      });
}

/// So many rows are collected by themselves: each row that is added copies
/// those before it.
static constexpr int64_t kRowsInBlock = 64;

static Value makeEndOfBlock(NodeImporter &node, Value begin, Value trips) {
  Value end = arith::AddIOp::create(node.getBuilder(), node.getLoc(), begin,
                                    makeScalarConstant(node, kRowsInBlock));
  Value least = node.make<MinOp>(node.getBuilder().getI64Type(),
                                 {toTensor(node, end), toTensor(node, trips)});
  return least ? toScalar(node, least) : Value();
}

LogicalResult qopt::importer::makeFor(NodeImporter &node, Value trips,
                                      ArrayRef<Collection> collections,
                                      Values &carried, LoopBody body) {
  if (!trips)
    return failure();
  size_t count = carried.size();
  for (const Collection &collection : collections) {
    if (!collection.none)
      return failure();
    carried.push_back(collection.none);
  }
  Value zero = makeScalarConstant(node, 0);
  IntegerAttr known;
  bool isShort =
      matchPattern(trips, m_Constant(&known)) && known.getInt() <= kRowsInBlock;
  if (collections.empty() || isShort)
    return addRows(node, zero, trips, collections, carried, body);
  return makeSteps(
      node, zero, trips, kRowsInBlock, carried,
      [&](Value begin, ValueRange all, Values &next) -> LogicalResult {
        llvm::append_range(next, all.take_front(count));
        for (const Collection &collection : collections)
          next.push_back(collection.none);
        Value end = makeEndOfBlock(node, begin, trips);
        if (failed(addRows(node, begin, end, collections, next, body)))
          return failure();
        for (auto [i, collection] : llvm::enumerate(collections)) {
          Value &rows = next[count + i];
          rows = joinRows(node, collection, all[count + i], rows);
          if (!rows)
            return failure();
        }
        return success();
      });
}

LogicalResult qopt::importer::makeWhile(NodeImporter &node, Value trips,
                                        Values &carried, LoopBody body) {
  OpBuilder &b = node.getBuilder();
  Location loc = node.getLoc();
  SmallVector<Type> types = typesOf(carried);
  Region region;
  Values next;
  if (failed(makeBody(node, region, types, body, next)) ||
      failed(setTypes(node, carried, types)))
    return failure();
  Block &block = region.front();
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&block);
    Value after = arith::AddIOp::create(b, loc, block.getArgument(0),
                                        makeScalarConstant(node, 1));
    next.insert(next.begin(), after);
    scf::YieldOp::create(b, loc, next);
  }
  types.insert(types.begin(), b.getI64Type());
  carried.insert(carried.begin(), makeScalarConstant(node, 0));
  auto loop = scf::WhileOp::create(b, loc, types, carried);
  {
    OpBuilder::InsertionGuard guard(b);
    Block *before = b.createBlock(&loop.getBefore(), {}, types,
                                  SmallVector<Location>(types.size(), loc));
    Value goesOn = toScalar(node, before->getArgument(1));
    if (trips) {
      Value isLeft = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                           before->getArgument(0), trips);
      goesOn = arith::AndIOp::create(b, loc, isLeft, goesOn);
    }
    scf::ConditionOp::create(b, loc, goesOn, before->getArguments());
  }
  loop.getAfter().takeBody(region);
  b.setInsertionPointAfter(loop);
  carried.assign(loop.getResults().begin() + 1, loop.getResults().end());
  return success();
}

/// Gives both results of a branch one rank where that can be. An axis that the
/// other branch squeezes, as exporters write it where only a run knows whether
/// its size is 1, is squeezed here too: a run in which it is not ends with an
/// error.
static LogicalResult levelRanks(NodeImporter &node, Value &value, Value other,
                                Region &region) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  auto target = dyn_cast<RankedTensorType>(other.getType());
  if (!type || !target || type.getRank() <= target.getRank())
    return success();
  OpBuilder::InsertionGuard guard(node.getBuilder());
  node.getBuilder().setInsertionPointToEnd(&region.front());
  auto squeeze = other.getDefiningOp<SqueezeOp>();
  if (squeeze && getRank(squeeze.getX()) == type.getRank())
    value = node.make<SqueezeOp>(type.getElementType(), value,
                                 node.attr("axes", squeeze.getAxes()));
  else if (hasOneElement(type))
    value = withRank(node, value, target.getRank());
  return success(value != nullptr);
}

LogicalResult qopt::importer::makeIf(NodeImporter &node, Value condition,
                                     BranchBody thenBody, BranchBody elseBody,
                                     Values &results) {
  OpBuilder &b = node.getBuilder();
  Region regions[2];
  Values values[2];
  SmallVector<Type> types;
  for (auto [region, own, body] :
       llvm::zip_equal(regions, values, ArrayRef{thenBody, elseBody})) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&region.emplaceBlock());
    if (failed(body(own)))
      return failure();
  }
  if (values[0].size() != values[1].size())
    return node.fail(malformed("expects branches with one number of outputs, "
                               "but found " +
                               Twine(values[0].size()) + " and " +
                               Twine(values[1].size())));
  for (auto [x, y] : llvm::zip_equal(values[0], values[1])) {
    if (failed(levelRanks(node, x, y, regions[0])) ||
        failed(levelRanks(node, y, x, regions[1])))
      return failure();
    types.push_back(joinTypes(node, x.getType(), y.getType(),
                              "results of its two branches"));
    if (!types.back())
      return failure();
  }
  for (auto [region, own] : llvm::zip_equal(regions, values)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&region.front());
    if (failed(setTypes(node, own, types)))
      return failure();
    scf::YieldOp::create(b, node.getLoc(), own);
  }
  auto op = scf::IfOp::create(b, node.getLoc(), types, condition,
                              /*addThenBlock=*/false, /*addElseBlock=*/false);
  op.getThenRegion().takeBody(regions[0]);
  op.getElseRegion().takeBody(regions[1]);
  results.assign(op.getResults().begin(), op.getResults().end());
  return success();
}
