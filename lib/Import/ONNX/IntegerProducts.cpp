//===- IntegerProducts.cpp - Sums of products of codes --------------------===//
//
// A zero point of one element is part of the product; others are taken from
// its sums.
//
//===----------------------------------------------------------------------===//

#include "IntegerProducts.h"
#include "CodeFormat.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

LogicalResult qopt::importer::expectBytes(NodeImporter &node, Value value) {
  return node.expectElementType(value, isByte(getElementType(value)),
                                "codes of int8 or uint8");
}

/// A constant tensor of rank 1 whose elements are all alike as one of rank 0;
/// any other value as it is.
static Value collapseEqual(NodeImporter &node, Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant || getRank(value) != 1)
    return value;
  auto elements = dyn_cast<DenseIntElementsAttr>(constant.getValue());
  if (!elements || elements.empty() || !elements.isSplat())
    return value;
  auto type = RankedTensorType::get({}, getElementType(value));
  return ConstantOp::create(
      node.getBuilder(), constant.getLoc(), type,
      DenseElementsAttr::get(type, elements.getSplatValue<APInt>()));
}

std::optional<Codes> qopt::importer::readCodes(NodeImporter &node, size_t input,
                                               size_t zeroInput) {
  Codes codes{node.getInput(input)};
  if (failed(expectBytes(node, codes.tensor)))
    return std::nullopt;
  Value zero = node.getInput(zeroInput);
  if (!zero)
    return codes;
  if (failed(node.expectSameElementType(codes.tensor, zero)))
    return std::nullopt;
  if (isConstantZero(zero))
    return codes;
  zero = collapseEqual(node, zero);
  RankedTensorType type = getType(zero);
  bool isOne = type.hasStaticShape() && type.getNumElements() == 1;
  (isOne ? codes.zero : codes.zeros) = zero;
  return codes;
}

Value qopt::importer::alongAxis(NodeImporter &node, Value value, int64_t rank,
                                int64_t axis, StringRef name) {
  RankedTensorType type = getType(value);
  if (type.getRank() == rank && rank > 1)
    return value;
  if (type.getRank() > 1 || !type.hasStaticShape()) {
    (void)node.fail(unsupported("expects " + name +
                                " of rank 0 or 1 and of "
                                "known size, but found " +
                                toString(type)));
    return {};
  }
  SmallVector<int64_t> shape(rank, 1);
  if (rank > 0)
    shape[axis] = type.getNumElements();
  if (Value constant = reshapeConstant(node.getBuilder(), value, shape))
    return constant;
  Value dims = makeIntegers(node.getBuilder(), node.getLoc(), shape);
  return node.make<ReshapeOp>(getElementType(value), {value, dims},
                              node.attr("allow_zero", false));
}

Value qopt::importer::subtractZeros(NodeImporter &node, Value sums, Value zeros,
                                    Value others) {
  Type i32 = node.getBuilder().getI32Type();
  Value wide = zeros ? node.make<CastOp>(i32, zeros) : Value();
  if (!wide || !others || !sums ||
      failed(node.expectBroadcast({sums, wide, others})))
    return {};
  Value product = node.make<MulOp>(i32, {wide, others});
  return product ? node.make<SubOp>(i32, {sums, product}) : Value();
}

/// The sums of `codes` less their zeros along `axis`, which stays. Null on
/// failure.
static Value addUp(NodeImporter &node, const Codes &codes, int64_t axis) {
  Type i32 = node.getBuilder().getI32Type();
  int64_t rank = getRank(codes.tensor);
  Value values = node.make<CastOp>(i32, codes.tensor);
  if (Value zero = codes.zero ? codes.zero : codes.zeros) {
    zero = alongAxis(node, zero, rank, axis == rank - 1 ? rank - 2 : rank - 1,
                     "a zero point");
    Value wide = zero ? node.make<CastOp>(i32, zero) : Value();
    if (!wide || failed(node.expectBroadcast({values, wide})))
      return {};
    values = node.make<SubOp>(i32, {values, wide});
  }
  if (!values)
    return {};
  return node.make<ReduceOp>(
      i32, values,
      {node.attr("kind",
                 ReduceKindAttr::get(i32.getContext(), ReduceKind::Sum)),
       node.attr("axes", ArrayRef<int64_t>{axis}),
       node.attr("keepdims", true)});
}

Value qopt::importer::multiplyCodes(NodeImporter &node, const Codes &a,
                                    const Codes &b) {
  if ((a.zeros || b.zeros) &&
      (getRank(a.tensor) < 2 || getRank(b.tensor) < 2)) {
    (void)node.fail(malformed("expects one zero point for the codes of a "
                              "vector"));
    return {};
  }
  Value sums = makeMatMul(node, a.operand(), b.operand(),
                          node.getBuilder().getI32Type());
  // sum (a - za) * (b - zb) = sum a * b - zb * sum (a - za) - za * sum b, where
  // a zero of one element is within the first sum.
  int64_t rank = sums ? getRank(sums) : 0;
  if (b.zeros && sums)
    sums = subtractZeros(
        node, sums, alongAxis(node, b.zeros, rank, rank - 1, "a zero point"),
        addUp(node, a, getRank(a.tensor) - 1));
  if (a.zeros && sums)
    sums = subtractZeros(
        node, sums, alongAxis(node, a.zeros, rank, rank - 2, "a zero point"),
        addUp(node, {b.tensor, b.zero}, getRank(b.tensor) - 2));
  return sums;
}
