//===- Composer.cpp - Operators written as several ops --------------------===//
//
// What is static stays so: dims that are known become constants, of which the
// inference of later ops knows more than of a computed list.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Contractions.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

bool Composer::areKnown(ArrayRef<Value> values) const {
  return !node.getFailure() &&
         llvm::all_of(values, [](Value value) { return value != nullptr; });
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value Composer::number(double value, Type type) {
  auto scalar = RankedTensorType::get({}, type);
  DenseElementsAttr elements;
  if (auto floats = dyn_cast<FloatType>(type)) {
    APFloat rounded(value);
    bool losesInfo;
    rounded.convert(floats.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                    &losesInfo);
    elements = DenseElementsAttr::get(scalar, rounded);
  } else {
    unsigned width = type.getIntOrFloatBitWidth();
    elements = DenseElementsAttr::get(
        scalar, APInt(64, static_cast<int64_t>(value)).trunc(width));
  }
  return ConstantOp::create(node.getBuilder(), node.getLoc(), scalar, elements);
}

Value Composer::number(double value, Value like) {
  return like ? number(value, getElementType(like)) : Value();
}

Value Composer::integers(ArrayRef<int64_t> values) {
  return makeIntegers(node.getBuilder(), node.getLoc(), values);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value Composer::add(Value x, Value y) { return of<AddOp>(x, y); }
Value Composer::sub(Value x, Value y) { return of<SubOp>(x, y); }
Value Composer::mul(Value x, Value y) { return of<MulOp>(x, y); }
Value Composer::div(Value x, Value y) { return of<DivOp>(x, y); }
Value Composer::negate(Value condition) { return of<NotOp>(condition); }

Value Composer::where(Value condition, Value x, Value y) {
  if (!areKnown({condition, x, y}))
    return {};
  return node.make<WhereOp>(getElementType(x), {condition, x, y});
}

Value Composer::cast(Value x, Type type) {
  if (!areKnown(x) || getElementType(x) == type)
    return x;
  return node.make<CastOp>(type, x);
}

//===----------------------------------------------------------------------===//
// Dims
//===----------------------------------------------------------------------===//

Value Composer::shapeOf(Value x, int64_t start, int64_t end) {
  if (!areKnown(x))
    return {};
  ArrayRef<int64_t> dims = getType(x).getShape().slice(start, end - start);
  if (!ShapedType::isDynamicShape(dims))
    return integers(dims);
  return node.make<ShapeOp>(node.getBuilder().getI64Type(), x,
                            {node.attr("start", start), node.attr("end", end)});
}

Value Composer::shapeOf(Value x) {
  return x ? shapeOf(x, 0, getRank(x)) : Value();
}

Value Composer::dimOf(Value x, int64_t axis) {
  return shapeOf(x, axis, axis + 1);
}

Value Composer::productOf(Value list) {
  return reduce(ReduceKind::Prod, list, 0);
}

Value Composer::reshape(Value x, ArrayRef<int64_t> dims) {
  return make<ReshapeOp>({x, integers(dims)}, node.attr("allow_zero", false));
}

Value Composer::reshape(Value x, Value dims) {
  return make<ReshapeOp>({x, dims}, node.attr("allow_zero", true));
}

Value Composer::squeeze(Value x, ArrayRef<int64_t> axes) {
  return axes.empty() ? x : make<SqueezeOp>(x, node.attr("axes", axes));
}

Value Composer::unsqueeze(Value x, ArrayRef<int64_t> axes) {
  return axes.empty() ? x : make<UnsqueezeOp>(x, node.attr("axes", axes));
}

Value Composer::expand(Value x, Value dims) { return of<ExpandOp>(x, dims); }

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

Value Composer::transpose(Value x, ArrayRef<int64_t> perm) {
  return make<TransposeOp>(x, node.attr("perm", perm));
}

Value Composer::swapAxes(Value x, int64_t a, int64_t b) {
  if (!x || a == b)
    return x;
  auto perm = llvm::to_vector(llvm::seq<int64_t>(0, getRank(x)));
  std::swap(perm[a], perm[b]);
  return transpose(x, perm);
}

Value Composer::concat(ArrayRef<Value> values, int64_t axis) {
  return values.size() == 1 ? values.front()
                            : make<ConcatOp>(values, node.attr("axis", axis));
}

SmallVector<Value> Composer::split(Value x, int64_t axis,
                                   ArrayRef<int64_t> sizes) {
  SmallVector<Value> parts(sizes.size());
  if (!areKnown(x))
    return parts;
  if (sizes.size() == 1)
    return {x};
  SmallVector<Type> types(sizes.size(),
                          RankedTensorType::get({}, getElementType(x)));
  auto op = SplitOp::create(
      node.getBuilder(), node.getLoc(), TypeRange(types), ValueRange(x),
      ArrayRef<NamedAttribute>{node.attr("axis", axis),
                               node.attr("sizes", sizes)});
  if (succeeded(node.finish(op)))
    parts.assign(op.getParts().begin(), op.getParts().end());
  return parts;
}

Value Composer::slice(Value x, int64_t axis, Value start, Value end) {
  return make<SliceOp>({x, start, end}, node.attr("axes", ArrayRef{axis}));
}

Value Composer::slice(Value x, int64_t axis, int64_t start, int64_t end) {
  return slice(x, axis, integers(start), integers(end));
}

Value Composer::gather(Value x, Value indices, int64_t axis) {
  return make<GatherOp>({x, indices}, node.attr("axis", axis));
}

Value Composer::reverse(Value x, int64_t axis) {
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  return make<SliceOp>({x, integers(-1), integers(least), integers(-1)},
                       node.attr("axes", ArrayRef{axis}));
}

Value Composer::range(Value start, Value limit) {
  return make<RangeOp>({start, limit, integers(1)});
}

Value Composer::positionsOf(Value x, int64_t axis) {
  if (!areKnown(x))
    return {};
  int64_t dim = getType(x).getDimSize(axis);
  int64_t most = kMaxInlineBytes / sizeof(int64_t);
  if (ShapedType::isDynamic(dim) || dim > most)
    return range(integers(0), dimOf(x, axis));
  return integers(llvm::to_vector(llvm::seq<int64_t>(0, dim)));
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

Value Composer::reduce(ReduceKind kind, Value x, ArrayRef<int64_t> axes,
                       bool keepDims) {
  MLIRContext *context = node.getBuilder().getContext();
  return make<ReduceOp>(
      x, {node.attr("kind", ReduceKindAttr::get(context, kind)),
          node.attr("axes", axes), node.attr("keepdims", keepDims)});
}

Value Composer::softmax(Value x, int64_t axis) {
  return make<SoftmaxOp>(x, node.attr("axis", axis));
}

Value Composer::matmul(Value x, Value y) {
  if (!areKnown({x, y}))
    return {};
  return makeMatMul(node, {x, Value()}, {y, Value()}, getElementType(x));
}
