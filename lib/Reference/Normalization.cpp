//===- Normalization.cpp - Evaluation of norms, softmax and reductions ----===//
//
// A row is what one result is reduced from. Rows that do not lie together are
// reached through offsets, in the row-major order of the reduced axes.
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "Evaluation.h"
#include "RowSum.h"
#include "dialects/QOpt/Numerics/Exponential.h"
#include "dialects/QOpt/Numerics/IntegerLimits.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;

Error reference::evaluateLayerNorm(const Evaluation &evaluation,
                                   LayerNormOp op) {
  const HostTensor &tensor = evaluation[op.getX()];
  ArrayRef<int64_t> dims = tensor.getDims();
  int64_t axis = op.getAxis();
  if (axis < 0)
    axis += tensor.getRank();
  if (axis < 0 || axis > tensor.getRank())
    return evaluation.badData("axis is outside the rank");
  ArrayRef<int64_t> rowDims = dims.drop_front(axis);
  int64_t n = getProduct(rowDims), rows = getProduct(dims.take_front(axis));
  numerics::ScalarPolicy b;
  float count = static_cast<float>(n),
        epsilon = op.getEpsilon().convertToFloat();
  FloatElements x(tensor), scale(evaluation[op.getScale()]);
  FloatElements bias(evaluation[op.getBias() ? op.getBias() : op.getScale()]);
  FloatResult result(evaluation.result());
  for (const HostTensor &factor : evaluation.operands.drop_front())
    if (factor.getRank() > static_cast<int64_t>(rowDims.size()))
      return evaluation.badData("expects a scale and bias of the row's dims");
  std::vector<int64_t> scaleAt = getOffsets(
      rowDims,
      getBroadcastStrides(evaluation[op.getScale()].getDims(), rowDims));
  std::vector<int64_t> biasAt = scaleAt;
  if (op.getBias())
    biasAt = getOffsets(
        rowDims,
        getBroadcastStrides(evaluation[op.getBias()].getDims(), rowDims));
  for (int64_t row = 0; row < rows; ++row) {
    const float *in = x.data() + row * n;
    float *out = result.data() + row * n;
    float mean = b.div(rowSum(n, [&](int64_t i) { return in[i]; }), count);
    for (int64_t i = 0; i < n; ++i)
      out[i] = b.sub(in[i], mean);
    float variance =
        b.div(rowSumOfSquares(n, [&](int64_t i) { return out[i]; }), count);
    float r = b.div(1, b.sqrt(b.add(variance, epsilon)));
    for (int64_t i = 0; i < n; ++i) {
      float scaled = b.mul(out[i], r);
      out[i] = op.getBias() ? b.fma(scaled, scale[scaleAt[i]], bias[biasAt[i]])
                            : b.mul(scaled, scale[scaleAt[i]]);
    }
  }
  result.commit();
  return Error::success();
}

namespace {
/// Where rows lie: row r has its elements at starts[r] + steps[i].
struct Rows {
  std::vector<int64_t> starts, steps;
};
} // namespace

static Rows getRows(ArrayRef<int64_t> dims, ArrayRef<int64_t> axes) {
  Shape strides = getStrides(dims), keptDims, keptStrides, rowDims, rowStrides;
  for (int64_t i = 0, e = dims.size(); i < e; ++i) {
    bool isReduced = llvm::is_contained(axes, i);
    (isReduced ? rowDims : keptDims).push_back(dims[i]);
    (isReduced ? rowStrides : keptStrides).push_back(strides[i]);
  }
  return {getOffsets(keptDims, keptStrides), getOffsets(rowDims, rowStrides)};
}

Error reference::evaluateSoftmax(const Evaluation &evaluation, SoftmaxOp op) {
  const HostTensor &tensor = evaluation[op.getX()];
  int64_t axis = op.getAxis();
  if (axis < 0)
    axis += tensor.getRank();
  if (axis < 0 || axis >= tensor.getRank())
    return evaluation.badData("axis is outside the rank");
  numerics::ScalarPolicy b;
  FloatElements x(tensor);
  FloatResult result(evaluation.result());
  Rows rows = getRows(tensor.getDims(), axis);
  int64_t n = rows.steps.size();
  std::vector<float> e(n);
  for (int64_t start : rows.starts) {
    float max = -std::numeric_limits<float>::infinity();
    for (int64_t step : rows.steps)
      max = b.max(x[start + step], max);
    for (int64_t i = 0; i < n; ++i)
      e[i] = numerics::expF32(b, b.sub(x[start + rows.steps[i]], max));
    float sum = rowSum(n, [&](int64_t i) { return e[i]; });
    for (int64_t i = 0; i < n; ++i)
      result[start + rows.steps[i]] = b.div(e[i], sum);
  }
  result.commit();
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Reduce
//===----------------------------------------------------------------------===//

template <class Get>
static float reduceFloats(ReduceKind kind, int64_t n, Get get) {
  numerics::ScalarPolicy b;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (kind == ReduceKind::Sum)
    return rowSum(n, get);
  if (kind == ReduceKind::Mean)
    return b.div(rowSum(n, get), static_cast<float>(n));
  if (kind == ReduceKind::L2)
    return b.sqrt(rowSumOfSquares(n, get));
  float result = kind == ReduceKind::Prod  ? 1.0f
                 : kind == ReduceKind::Max ? -infinity
                                           : infinity;
  for (int64_t i = 0; i < n; ++i)
    if (kind == ReduceKind::Prod)
      result = b.mul(result, get(i));
    else if (kind == ReduceKind::Max)
      result = b.max(get(i), result);
    else
      result = b.min(get(i), result);
  return result;
}

template <class Get>
static int64_t reduceIntegers(ReduceKind kind, int64_t n, Type element,
                              Get get) {
  uint64_t sum = 0, product = 1;
  int64_t max = numerics::leastInteger(element);
  int64_t min = numerics::greatestInteger(element);
  for (int64_t i = 0; i < n; ++i) {
    int64_t value = get(i);
    sum += static_cast<uint64_t>(value);
    product *= static_cast<uint64_t>(value);
    max = std::max(max, value);
    min = std::min(min, value);
  }
  if (kind == ReduceKind::Sum)
    return sum;
  if (kind == ReduceKind::Mean)
    return n ? static_cast<int64_t>(sum) / n : 0;
  if (kind == ReduceKind::Prod)
    return product;
  return kind == ReduceKind::Max ? max : min;
}

Error reference::evaluateReduce(const Evaluation &evaluation, ReduceOp op) {
  const HostTensor &x = evaluation[op.getX()];
  HostTensor &result = evaluation.result();
  ReduceKind kind = op.getKind();
  Rows rows = getRows(x.getDims(), op.getAxes());
  int64_t n = rows.steps.size();
  if (!isFloat(x.getType())) {
    bool isOrder = kind == ReduceKind::Max || kind == ReduceKind::Min;
    if (kind == ReduceKind::L2 ||
        (x.getType() == ElementType::BOOL && !isOrder))
      return evaluation.unsupported("has no formula for this element type");
    Type element = getElementTypeOrSelf(op.getX());
    for (auto [i, start] : llvm::enumerate(rows.starts))
      writeInteger(result, i, reduceIntegers(kind, n, element, [&](int64_t j) {
                     return readInteger(x, start + rows.steps[j]);
                   }));
    return Error::success();
  }
  FloatElements values(x);
  FloatResult out(result);
  for (auto [i, start] : llvm::enumerate(rows.starts))
    out[i] = reduceFloats(kind, n, [&, begin = start](int64_t j) {
      return values[begin + rows.steps[j]];
    });
  out.commit();
  return Error::success();
}
