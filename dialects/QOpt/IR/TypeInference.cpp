//===- TypeInference.cpp - Static result types ----------------------------===//
//
// The dim policy of numbers that may be unknown.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/TypeInference.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "dialects/QOpt/IR/ShapeFunctions.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;

std::optional<SmallVector<int64_t>> qopt::getConstantIntegers(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto type = cast<RankedTensorType>(value.getType());
  if (!constant || !type.hasStaticShape() || type.getRank() > 1 ||
      !type.getElementType().isIntOrIndex())
    return std::nullopt;
  SmallVector<int64_t> result;
  if (auto elements = dyn_cast<DenseIntElementsAttr>(constant.getValue())) {
    for (const APInt &element : elements.getValues<APInt>())
      result.push_back(element.getSExtValue());
    return result;
  }
  auto weight = dyn_cast<WeightAttr>(constant.getValue());
  unsigned bytesPerElement = getPackedBitWidth(type.getElementType()) / 8;
  if (!weight || (bytesPerElement != 4 && bytesPerElement != 8))
    return std::nullopt;
  const uint8_t *data = weight.getBlob()->bytes.data();
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
    int64_t element = 0;
    int32_t narrow = 0;
    if (bytesPerElement == 8)
      std::memcpy(&element, data + i * 8, 8);
    else {
      std::memcpy(&narrow, data + i * 4, 4);
      element = narrow;
    }
    result.push_back(element);
  }
  return result;
}

namespace {
/// Numbers; an unknown one is a value that no dim and no slice bound has.
struct StaticDimPolicy {
  using Dim = std::optional<int64_t>;

  Dim constant(int64_t value) { return value; }
  std::optional<int64_t> known(Dim dim) { return dim; }
  bool isSame(Dim a, Dim b) { return a && a == b; }
  template <class F> Dim both(Dim a, Dim b, F f) {
    if (!a || !b)
      return std::nullopt;
    return f(*a, *b);
  }
  /// Sums and products that overflow are unknown: a hostile file may ask.
  Dim add(Dim a, Dim b) {
    return both(a, b, [](int64_t x, int64_t y) -> Dim {
      int64_t sum;
      return llvm::AddOverflow(x, y, sum) ? Dim() : Dim(sum);
    });
  }
  Dim sub(Dim a, Dim b) {
    return both(a, b, [](int64_t x, int64_t y) -> Dim {
      int64_t difference;
      return llvm::SubOverflow(x, y, difference) ? Dim() : Dim(difference);
    });
  }
  Dim mul(Dim a, Dim b) {
    return both(a, b, [](int64_t x, int64_t y) -> Dim {
      int64_t product;
      return llvm::MulOverflow(x, y, product) ? Dim() : Dim(product);
    });
  }
  Dim min(Dim a, Dim b) {
    return both(a, b, [](int64_t x, int64_t y) { return std::min(x, y); });
  }
  Dim max(Dim a, Dim b) {
    return both(a, b, [](int64_t x, int64_t y) { return std::max(x, y); });
  }
  Dim floorDiv(Dim a, Dim b) {
    return both(a, b, [](int64_t x, int64_t y) -> Dim {
      return y == 0 ? Dim() : Dim(x / y);
    });
  }
  Dim ceilDiv(Dim a, Dim b) {
    return both(a, b, [](int64_t x, int64_t y) -> Dim {
      return y == 0 ? Dim() : Dim(x / y + (x % y != 0));
    });
  }
  Dim broadcast(Dim a, Dim b) {
    if (a && *a != 1)
      return a;
    if (b && *b != 1)
      return b;
    return a && b ? Dim(1) : std::nullopt;
  }
  Dim selectEqual(Dim a, int64_t b, Dim x, Dim y) {
    if (!a)
      return x == y ? x : std::nullopt;
    return *a == b ? x : y;
  }
  Dim selectNegative(Dim a, Dim x, Dim y) {
    if (!a)
      return x == y ? x : std::nullopt;
    return *a < 0 ? x : y;
  }
  SmallVector<Dim> dimsOf(Value value) {
    SmallVector<Dim> dims;
    for (int64_t dim : cast<RankedTensorType>(value.getType()).getShape())
      dims.push_back(ShapedType::isDynamic(dim) ? Dim() : Dim(dim));
    return dims;
  }
  SmallVector<Dim> elementsOf(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    if (auto integers = getConstantIntegers(value))
      return SmallVector<Dim>(integers->begin(), integers->end());
    if (auto known = getKnownIntegers(value))
      return *known;
    int64_t count = type.hasStaticShape() ? type.getNumElements() : 0;
    if (count > kMaxKnownIntegers)
      count = 0;
    return SmallVector<Dim>(count, std::nullopt);
  }
};
} // namespace

FailureOr<SmallVector<SmallVector<int64_t>>>
qopt::inferResultShapes(Operation *op) {
  StaticDimPolicy policy;
  auto dims = resultDims(op, policy);
  if (failed(dims))
    return failure();
  SmallVector<SmallVector<int64_t>> shapes;
  for (auto &result : *dims) {
    SmallVector<int64_t> &shape = shapes.emplace_back();
    for (auto dim : result)
      shape.push_back(dim && *dim >= 0 ? *dim : ShapedType::kDynamic);
  }
  return shapes;
}

LogicalResult qopt::refineResultTypes(Operation *op) {
  auto shapes = inferResultShapes(op);
  if (failed(shapes))
    return failure();
  for (auto [result, shape] : llvm::zip_equal(op->getResults(), *shapes)) {
    auto type = cast<ShapedType>(result.getType());
    if (type.hasRank() && type.getRank() == static_cast<int64_t>(shape.size()))
      for (auto [known, inferred] : llvm::zip_equal(type.getShape(), shape))
        if (ShapedType::isDynamic(inferred))
          inferred = known;
    result.setType(RankedTensorType::get(shape, type.getElementType()));
  }
  return success();
}
