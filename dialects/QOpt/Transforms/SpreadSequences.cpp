//===- SpreadSequences.cpp - Sequences as two tensors ---------------------===//
//
// A position that no sequence of the run has is an index that its rows do not
// have, so the gather of a row tells it.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/SpreadSequences.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/Sequences.h"
#include "dialects/QOpt/Transforms/FoldSequences.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace qopt;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// Numbers in a row of dims. A scalar is a tensor of one element here, and so
/// is what an empty sequence says nothing of.
static int64_t getRowSize(TensorType element) {
  auto ranked = dyn_cast<RankedTensorType>(element);
  return ranked ? std::max<int64_t>(ranked.getRank(), 1) : 1;
}

static RankedTensorType getElementsType(TensorType element) {
  return RankedTensorType::get({ShapedType::kDynamic},
                               element.getElementType());
}

static RankedTensorType getDimsType(TensorType element) {
  return RankedTensorType::get({ShapedType::kDynamic, getRowSize(element)},
                               IntegerType::get(element.getContext(), 64));
}

static TensorType elementOf(Value sequence) {
  return cast<SequenceType>(sequence.getType()).getElement();
}

//===----------------------------------------------------------------------===//
// Ops on the tensors
//===----------------------------------------------------------------------===//

namespace {
struct Spread {
  Value elements, dims;
};

/// Writes tensors of i64 and parts of others.
class Writer {
public:
  Writer(OpBuilder &b, Location loc) : b(b), loc(loc) {}

  Value list(ArrayRef<int64_t> numbers) {
    auto type = RankedTensorType::get({int64_t(numbers.size())}, word());
    return ConstantOp::create(b, loc, type,
                              DenseElementsAttr::get(type, numbers));
  }
  /// The same tensor, of which `type` says more or less.
  Value withType(Value x, RankedTensorType type) {
    return x.getType() == type
               ? x
               : make<SqueezeOp>(type, x, attribute("axes", {}));
  }
  Value reshape(Value x, Value shape, RankedTensorType type) {
    return make<ReshapeOp>(type, {x, shape},
                           b.getNamedAttr("allow_zero", b.getBoolAttr(true)));
  }
  /// A number as a list.
  Value toList(Value number) {
    number = reshape(number, list({1}), withElement(number, {1}));
    if (typeOf(number).getElementType() == word())
      return number;
    return make<CastOp>(listType(1), number);
  }
  Value add(Value x, Value y) { return make<AddOp>(listType(1), {x, y}); }
  Value gather(Value x, Value at) {
    SmallVector<int64_t> shape(typeOf(x).getShape());
    shape[0] = 1;
    return make<GatherOp>(withElement(x, shape), {x, at},
                          b.getNamedAttr("axis", b.getI64IntegerAttr(0)));
  }
  Value concat(ValueRange parts) {
    SmallVector<int64_t> shape(typeOf(parts[0]).getShape());
    shape[0] = ShapedType::kDynamic;
    return make<ConcatOp>(withElement(parts[0], shape), parts,
                          b.getNamedAttr("axis", b.getI64IntegerAttr(0)));
  }
  /// The part of axis 0 from `start` to `end`.
  Value slice(Value x, Value start, Value end) {
    SmallVector<int64_t> shape(typeOf(x).getShape());
    shape[0] = ShapedType::kDynamic;
    return make<SliceOp>(withElement(x, shape), {x, start, end},
                         attribute("axes", {0}));
  }
  Value first() { return list({0}); }
  Value last() { return list({std::numeric_limits<int64_t>::max()}); }

  /// The number of rows, as a list.
  Value count(Value dims) {
    return make<ShapeOp>(listType(1), dims,
                         {b.getNamedAttr("start", b.getI64IntegerAttr(0)),
                          b.getNamedAttr("end", b.getI64IntegerAttr(1))});
  }
  /// The elements up to each tensor, or up to its end.
  Value sumSizes(Value dims, bool isExclusive) {
    RankedTensorType type = listType(ShapedType::kDynamic);
    Value sizes = make<ReduceOp>(
        type, dims,
        {b.getNamedAttr("kind",
                        ReduceKindAttr::get(b.getContext(), ReduceKind::Prod)),
         attribute("axes", {1}),
         b.getNamedAttr("keepdims", b.getBoolAttr(false))});
    return make<CumSumOp>(
        type, sizes,
        {b.getNamedAttr("axis", b.getI64IntegerAttr(0)),
         b.getNamedAttr("exclusive", b.getBoolAttr(isExclusive)),
         b.getNamedAttr("reverse", b.getBoolAttr(false))});
  }
  /// 0, 1 ... below the number in a list.
  Value countTo(Value limit) {
    auto scalar = [&](Value number) {
      return make<SqueezeOp>(RankedTensorType::get({}, word()), number,
                             attribute("axes", {0}));
    };
    return make<RangeOp>(listType(ShapedType::kDynamic),
                         {scalar(first()), scalar(limit), scalar(list({1}))});
  }

  Spread makeEmpty(TensorType element) {
    auto zeros = [&](RankedTensorType type, Type kind, ArrayRef<int64_t> dims) {
      auto zero = DenseElementsAttr::get(RankedTensorType::get({1}, kind),
                                         cast<Attribute>(b.getZeroAttr(kind)));
      Value made =
          make<ConstantOfShapeOp>(RankedTensorType::get(dims, kind), list(dims),
                                  b.getNamedAttr("value", zero));
      return withType(made, type);
    };
    return {zeros(getElementsType(element), element.getElementType(), {0}),
            zeros(getDimsType(element), word(), {0, getRowSize(element)})};
  }
  Spread makeOne(Value tensor) {
    auto type = typeOf(tensor);
    int64_t rank = type.getRank();
    Value dims =
        rank == 0
            ? list({1})
            : make<ShapeOp>(listType(rank), tensor,
                            {b.getNamedAttr("start", b.getI64IntegerAttr(0)),
                             b.getNamedAttr("end", b.getI64IntegerAttr(rank))});
    int64_t size = getRowSize(type);
    return {reshape(tensor, list({-1}), getElementsType(type)),
            reshape(dims, list({1, size}),
                    RankedTensorType::get({1, size}, word()))};
  }
  Spread join(ArrayRef<Spread> all) {
    return {concat(llvm::map_to_vector(
                all, [](const Spread &each) { return each.elements; })),
            concat(llvm::map_to_vector(
                all, [](const Spread &each) { return each.dims; }))};
  }
  /// The tensor in the row that a list names.
  Value getTensor(const Spread &from, Value at, RankedTensorType type) {
    Value begin = gather(sumSizes(from.dims, /*isExclusive=*/true), at);
    Value end = gather(sumSizes(from.dims, /*isExclusive=*/false), at);
    Value part = slice(from.elements, begin, end);
    if (type.getRank() == 0)
      return make<SqueezeOp>(type, part, attribute("axes", {0}));
    Value row = gather(from.dims, at);
    Value shape =
        reshape(row, list({type.getRank()}), listType(type.getRank()));
    return reshape(part, shape, type);
  }

  Type word() { return b.getI64Type(); }
  RankedTensorType listType(int64_t size) {
    return RankedTensorType::get({size}, word());
  }
  RankedTensorType withElement(Value x, ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, typeOf(x).getElementType());
  }
  NamedAttribute attribute(StringRef name, ArrayRef<int64_t> numbers) {
    return b.getNamedAttr(name, b.getDenseI64ArrayAttr(numbers));
  }
  template <class Op>
  Value make(Type type, ValueRange operands,
             ArrayRef<NamedAttribute> attributes = {}) {
    return Op::create(b, loc, TypeRange(type), operands, attributes)
        ->getResult(0);
  }

private:
  OpBuilder &b;
  Location loc;
};
} // namespace

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {
template <class Op> class SpreadPattern : public OpConversionPattern<Op> {
public:
  using OpConversionPattern<Op>::OpConversionPattern;
  using Adaptor = typename OpConversionPattern<Op>::OneToNOpAdaptor;

protected:
  /// The sequence that is operand 0 of `op`. One that is empty, of which
  /// nothing more is known, is an empty one of `wanted`.
  static Spread getSequence(Writer &writer, Op op, Adaptor adaptor,
                            TensorType wanted) {
    if (getRowSize(elementOf(op.getSequence())) != getRowSize(wanted))
      return writer.makeEmpty(wanted);
    ValueRange parts = adaptor.getOperands()[0];
    return {parts[0], parts[1]};
  }
  /// The position that is operand `index`, as a list; null where it is absent.
  static Value getPosition(Writer &writer, Adaptor adaptor, unsigned index) {
    auto operands = adaptor.getOperands();
    return index < operands.size() ? writer.toList(operands[index].front())
                                   : Value();
  }
  static void replace(ConversionPatternRewriter &rewriter, Op op,
                      const Spread &made) {
    SmallVector<Value> parts{made.elements, made.dims};
    rewriter.replaceOpWithMultiple(op, {ValueRange(parts)});
  }
};

struct SpreadConstruct : SpreadPattern<SequenceConstructOp> {
  using SpreadPattern::SpreadPattern;
  LogicalResult
  matchAndRewrite(SequenceConstructOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Writer writer(rewriter, op.getLoc());
    if (op.getInputs().empty())
      return replace(rewriter, op, writer.makeEmpty(elementOf(op.getResult()))),
             success();
    SmallVector<Spread> all;
    for (ValueRange input : adaptor.getOperands())
      all.push_back(writer.makeOne(input.front()));
    return replace(rewriter, op, writer.join(all)), success();
  }
};

struct SpreadAt : SpreadPattern<SequenceAtOp> {
  using SpreadPattern::SpreadPattern;
  LogicalResult
  matchAndRewrite(SequenceAtOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Writer writer(rewriter, op.getLoc());
    auto type = typeOf(op.getResult());
    Spread from = getSequence(writer, op, adaptor, type);
    rewriter.replaceOp(
        op, writer.getTensor(from, getPosition(writer, adaptor, 1), type));
    return success();
  }
};

struct SpreadInsert : SpreadPattern<SequenceInsertOp> {
  using SpreadPattern::SpreadPattern;
  LogicalResult
  matchAndRewrite(SequenceInsertOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Writer writer(rewriter, op.getLoc());
    TensorType element = elementOf(op.getResult());
    Spread from = getSequence(writer, op, adaptor, element);
    Spread added = writer.makeOne(adaptor.getOperands()[1].front());
    Value position = getPosition(writer, adaptor, 2);
    if (!position)
      return replace(rewriter, op, writer.join({from, added})), success();
    // There is one place more than there are tensors: behind all of them. What
    // counts from the end leaves it out.
    Value isBack =
        writer.make<LessOp>(RankedTensorType::get({1}, rewriter.getI1Type()),
                            {position, writer.first()});
    Value index = writer.make<WhereOp>(
        writer.listType(1),
        {isBack, writer.add(position, writer.list({-1})), position});
    Value ends = writer.concat(
        {writer.first(), writer.sumSizes(from.dims, /*isExclusive=*/false)});
    Value rows =
        writer.countTo(writer.add(writer.count(from.dims), writer.list({1})));
    Value at = writer.gather(ends, index), row = writer.gather(rows, index);
    Value elements = writer.concat(
        {writer.slice(from.elements, writer.first(), at), added.elements,
         writer.slice(from.elements, at, writer.last())});
    Value dims =
        writer.concat({writer.slice(from.dims, writer.first(), row), added.dims,
                       writer.slice(from.dims, row, writer.last())});
    return replace(rewriter, op, {elements, dims}), success();
  }
};

struct SpreadErase : SpreadPattern<SequenceEraseOp> {
  using SpreadPattern::SpreadPattern;
  LogicalResult
  matchAndRewrite(SequenceEraseOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Writer writer(rewriter, op.getLoc());
    Spread from = getSequence(writer, op, adaptor, elementOf(op.getResult()));
    Value position = getPosition(writer, adaptor, 1);
    if (!position)
      position = writer.list({-1});
    Value begin = writer.gather(
        writer.sumSizes(from.dims, /*isExclusive=*/true), position);
    Value end = writer.gather(writer.sumSizes(from.dims, /*isExclusive=*/false),
                              position);
    Value row =
        writer.gather(writer.countTo(writer.count(from.dims)), position);
    Value next = writer.add(row, writer.list({1}));
    Value elements =
        writer.concat({writer.slice(from.elements, writer.first(), begin),
                       writer.slice(from.elements, end, writer.last())});
    Value dims = writer.concat({writer.slice(from.dims, writer.first(), row),
                                writer.slice(from.dims, next, writer.last())});
    return replace(rewriter, op, {elements, dims}), success();
  }
};

struct SpreadLength : SpreadPattern<SequenceLengthOp> {
  using SpreadPattern::SpreadPattern;
  LogicalResult
  matchAndRewrite(SequenceLengthOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Writer writer(rewriter, op.getLoc());
    Value count = writer.count(adaptor.getOperands()[0][1]);
    rewriter.replaceOp(op,
                       writer.make<SqueezeOp>(op.getType(), count,
                                              writer.attribute("axes", {0})));
    return success();
  }
};

/// The tensors are joined one by one, as their dims may differ.
struct SpreadConcat : SpreadPattern<ConcatFromSequenceOp> {
  using SpreadPattern::SpreadPattern;
  LogicalResult
  matchAndRewrite(ConcatFromSequenceOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Writer writer(rewriter, loc);
    auto result = typeOf(op.getResult());
    int64_t axis = op.getAxis();
    SmallVector<int64_t> dims(result.getShape());
    dims[axis] = ShapedType::kDynamic;
    auto joined = RankedTensorType::get(dims, result.getElementType());
    if (op.getNewAxis())
      dims.erase(dims.begin() + axis);
    auto element = RankedTensorType::get(dims, result.getElementType());
    Spread from = getSequence(writer, op, adaptor, element);

    auto getPart = [&](Value at) {
      Value tensor = writer.getTensor(from, at, element);
      if (!op.getNewAxis())
        return tensor;
      dims.insert(dims.begin() + axis, 1);
      auto type = RankedTensorType::get(dims, result.getElementType());
      dims.erase(dims.begin() + axis);
      tensor = writer.make<UnsqueezeOp>(type, tensor,
                                        writer.attribute("axes", {axis}));
      return writer.withType(tensor, joined);
    };
    Value zero =
        arith::ConstantOp::create(rewriter, loc, rewriter.getIndexAttr(0));
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantOp::create(rewriter, loc,
                                       rewriter.getI64IntegerAttr(value));
    };
    Value end =
        tensor::ExtractOp::create(rewriter, loc, writer.count(from.dims), zero);
    auto loop = scf::ForOp::create(
        rewriter, loc, number(1), end, number(1), getPart(writer.first()),
        [&](OpBuilder &, Location, Value i, ValueRange carried) {
          Value at = tensor::FromElementsOp::create(rewriter, loc,
                                                    writer.listType(1), i);
          Value more = writer.make<ConcatOp>(
              joined, {carried.front(), getPart(at)},
              rewriter.getNamedAttr("axis", op.getAxisAttr()));
          scf::YieldOp::create(rewriter, loc, more);
        });
    rewriter.replaceOp(op, writer.withType(loop.getResult(0), result));
    return success();
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

/// True for an op that has no form of tensors here.
static bool hasNoForm(Operation *op) {
  auto isOptional = [](Type type) { return isa<OptionalType>(type); };
  if (isa<func::ReturnOp>(op))
    return llvm::any_of(op->getOperandTypes(), isSequenceOrOptional);
  return isa<SplitToSequenceOp>(op) ||
         llvm::any_of(op->getOperandTypes(), isOptional) ||
         llvm::any_of(op->getResultTypes(), isOptional);
}

LogicalResult qopt::spreadSequences(func::FuncOp function) {
  if (llvm::any_of(function.getArgumentTypes(), isSequenceOrOptional))
    return refuseSequences(function);
  bool hasAny = false;
  WalkResult refused = function.walk([&](Operation *op) {
    if (op == function || !hasSequences(op))
      return WalkResult::advance();
    hasAny = true;
    if (!hasNoForm(op))
      return WalkResult::advance();
    return (void)refuseSequences(op), WalkResult::interrupt();
  });
  if (refused.wasInterrupted() || !hasAny)
    return failure(refused.wasInterrupted());

  MLIRContext *context = function.getContext();
  TypeConverter converter;
  converter.addConversion([](Type type) { return type; });
  converter.addConversion(
      [](SequenceType type, SmallVectorImpl<Type> &results) -> LogicalResult {
        results.push_back(getElementsType(type.getElement()));
        results.push_back(getDimsType(type.getElement()));
        return success();
      });
  ConversionTarget target(*context);
  target.markUnknownOpDynamicallyLegal(
      [](Operation *op) { return !hasSequences(op); });
  RewritePatternSet patterns(context);
  patterns.add<SpreadConstruct, SpreadAt, SpreadInsert, SpreadErase,
               SpreadLength, SpreadConcat>(converter, context);
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  return applyFullConversion(function, target, std::move(patterns));
}
