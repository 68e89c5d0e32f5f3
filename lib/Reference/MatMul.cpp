//===- MatMul.cpp - Evaluation of matrix products -------------------------===//
//
// One matrix product for each position of the leading axes.
//
//===----------------------------------------------------------------------===//

#include "Chains.h"
#include "CodeOperand.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;
using llvm::Expected;

namespace {
/// The matrices of a batched product. A rank of 1 counts as a matrix with one
/// row (lhs) or one column (rhs).
struct Batches {
  int64_t m, n, k;
  Shape dims;       // of the leading axes of the result
  Shape lhsStrides; // of the leading axes, in elements; 0 where they broadcast
  Shape rhsStrides;

  Batches(ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs) {
    Shape a(lhs), b(rhs);
    if (a.size() == 1)
      a.insert(a.begin(), 1);
    if (b.size() == 1)
      b.push_back(1);
    m = a[a.size() - 2];
    k = a.back();
    n = b.back();
    ArrayRef<int64_t> aBatch = ArrayRef<int64_t>(a).drop_back(2);
    ArrayRef<int64_t> bBatch = ArrayRef<int64_t>(b).drop_back(2);
    dims.assign(std::max(aBatch.size(), bBatch.size()), 1);
    for (ArrayRef<int64_t> batch : {aBatch, bBatch})
      for (size_t i = 0; i < batch.size(); ++i) {
        int64_t &dim = dims[dims.size() - batch.size() + i];
        dim = dim == 1 ? batch[i] : dim;
      }
    lhsStrides = getBroadcastStrides(aBatch, dims);
    rhsStrides = getBroadcastStrides(bBatch, dims);
    for (int64_t &stride : lhsStrides)
      stride *= m * k;
    for (int64_t &stride : rhsStrides)
      stride *= k * n;
  }
};
} // namespace

/// Calls `compute(lhsOffset, rhsOffset, resultOffset)` for each product.
template <class Compute>
static void forEachBatch(const Batches &batches, Compute compute) {
  std::vector<int64_t> lhs = getOffsets(batches.dims, batches.lhsStrides);
  std::vector<int64_t> rhs = getOffsets(batches.dims, batches.rhsStrides);
  for (size_t i = 0; i < lhs.size(); ++i)
    compute(lhs[i], rhs[i], i * batches.m * batches.n);
}

template <class T>
static void multiply(const Batches &batches, const T *lhs, const T *rhs,
                     T *result) {
  auto [m, n, k] = std::tie(batches.m, batches.n, batches.k);
  forEachBatch(
      batches, [&, m = m, n = n, k = k](int64_t a, int64_t b, int64_t c) {
        addProducts(m, n, k, Matrix<const T>{lhs + a, k},
                    Matrix<const T>{rhs + b, n}, Matrix<T>{result + c, n});
      });
}

/// The axis of k; a vector has no other.
static int64_t getRhsProductAxis(const CodeOperand &rhs) {
  return rhs.getDims().size() == 1 ? 0 : rhs.getDims().size() - 2;
}

/// Where k is cut into groups: at the blocks of either operand.
static SmallVector<int64_t> getCuts(int64_t k, int64_t lhsBlock,
                                    int64_t rhsBlock) {
  SmallVector<int64_t> cuts;
  for (int64_t i = 0; i < k; ++i)
    if (i == 0 || (lhsBlock && i % lhsBlock == 0) ||
        (rhsBlock && i % rhsBlock == 0))
      cuts.push_back(i);
  cuts.push_back(k);
  return cuts;
}

/// The position whose element `offset` counts.
static Shape getPosition(int64_t offset, ArrayRef<int64_t> dims) {
  Shape position(dims.size());
  for (size_t i = dims.size(); i-- > 0; offset /= dims[i])
    position[i] = offset % dims[i];
  return position;
}

static void multiplyGroups(const Evaluation &evaluation, const Batches &batches,
                           const CodeOperand &lhs, const CodeOperand &rhs) {
  int64_t m = batches.m, n = batches.n, k = batches.k;
  std::vector<float> a = lhs.getReals(), b = rhs.getReals(), t(m * n);
  std::vector<GroupScale> rows(m), columns(n);
  FloatResult result(evaluation.result());
  GroupSum groupSum(lhs, rhs);
  SmallVector<int64_t> cuts = getCuts(k, lhs.getBlock(lhs.getDims().size() - 1),
                                      rhs.getBlock(getRhsProductAxis(rhs)));
  forEachBatch(batches, [&](int64_t aOffset, int64_t bOffset, int64_t cOffset) {
    for (size_t g = 0; g + 1 < cuts.size(); ++g) {
      int64_t begin = cuts[g], depth = cuts[g + 1] - begin;
      std::fill(t.begin(), t.end(), 0.0f);
      addProducts(m, n, depth,
                  Matrix<const float>{a.data() + aOffset + begin, k},
                  Matrix<const float>{b.data() + bOffset + begin * n, n},
                  Matrix<float>{t.data(), n});
      for (int64_t i = 0; i < m; ++i)
        rows[i] =
            lhs.getScale(getPosition(aOffset + i * k + begin, lhs.getDims()));
      for (int64_t j = 0; j < n; ++j)
        columns[j] =
            rhs.getScale(getPosition(bOffset + begin * n + j, rhs.getDims()));
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          float &y = result[cOffset + i * n + j];
          y = groupSum.add(y, t[i * n + j], rows[i], columns[j]);
        }
    }
  });
  result.commit();
}

Error reference::evaluateMatMul(const Evaluation &evaluation, MatMulOp op) {
  Expected<CodeOperand> lhs =
      CodeOperand::get(evaluation, op.getLhs(), op.getLhsScales(),
                       op.getLhsZeros(), op.getLhsFormat());
  if (!lhs)
    return lhs.takeError();
  Expected<CodeOperand> rhs =
      CodeOperand::get(evaluation, op.getRhs(), op.getRhsScales(),
                       op.getRhsZeros(), op.getRhsFormat());
  if (!rhs)
    return rhs.takeError();
  Batches batches(lhs->getDims(), rhs->getDims());
  ArrayRef<int64_t> rhsDims = rhs->getDims();
  if (rhsDims[getRhsProductAxis(*rhs)] != batches.k)
    return evaluation.badData("cannot multiply " + formatDims(lhs->getDims()) +
                              " by " + formatDims(rhsDims));
  HostTensor &result = evaluation.result();
  SumKind kind = getSumKind(*lhs, *rhs);
  if ((kind == SumKind::Integer) != (result.getType() == ElementType::I32) ||
      (kind != SumKind::Integer && !isFloat(result.getType())))
    return evaluation.unsupported("cannot sum up in " +
                                  getName(result.getType()));
  if (kind == SumKind::Grouped) {
    multiplyGroups(evaluation, batches, *lhs, *rhs);
    return Error::success();
  }
  if (kind == SumKind::Integer) {
    multiply(batches, lhs->getIntegers().data(), rhs->getIntegers().data(),
             result.asMutable<int32_t>().data());
    return Error::success();
  }
  FloatElements a(evaluation[op.getLhs()]), b(evaluation[op.getRhs()]);
  FloatResult c(result);
  multiply(batches, a.data(), b.data(), c.data());
  c.commit();
  return Error::success();
}

/// The elements of a matrix, transposed if asked.
static std::vector<float> getMatrix(const HostTensor &tensor, bool transposed) {
  FloatElements elements(tensor);
  int64_t rows = tensor.getDims()[0], columns = tensor.getDims()[1];
  std::vector<float> matrix(elements.size());
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      matrix[transposed ? j * rows + i : i * columns + j] =
          elements[i * columns + j];
  return matrix;
}

Error reference::evaluateGemm(const Evaluation &evaluation, GemmOp op) {
  const HostTensor &a = evaluation[op.getA()], &b = evaluation[op.getB()];
  HostTensor &tensor = evaluation.result();
  for (const HostTensor &operand : evaluation.operands)
    if (!isFloat(operand.getType()) || !isFloat(tensor.getType()))
      return evaluation.unsupported("has no formula for " +
                                    getName(operand.getType()));
  int64_t m = tensor.getDims()[0], n = tensor.getDims()[1];
  int64_t k = a.getDims()[op.getTransA() ? 0 : 1];
  if (b.getDims()[op.getTransB() ? 1 : 0] != k)
    return evaluation.badData("cannot multiply " + formatDims(a.getDims()) +
                              " by " + formatDims(b.getDims()));
  float alpha = op.getAlpha().convertToFloat();
  float beta = op.getBeta().convertToFloat();
  FloatResult result(tensor);
  std::vector<float> lhs = getMatrix(a, op.getTransA());
  std::vector<float> rhs = getMatrix(b, op.getTransB());
  addProducts(m, n, k, Matrix<const float>{lhs.data(), k},
              Matrix<const float>{rhs.data(), n},
              Matrix<float>{result.data(), n});
  if (alpha != 1)
    for (int64_t i = 0; i < result.size(); ++i)
      result[i] *= alpha;
  if (op.getC()) {
    const HostTensor &c = evaluation[op.getC()];
    Shape strides;
    if (c.getRank() <= 2)
      strides = getBroadcastStrides(c.getDims(), {m, n});
    for (auto [dim, target] :
         llvm::zip(llvm::reverse(c.getDims()), llvm::reverse(tensor.getDims())))
      if (dim != 1 && dim != target)
        strides.clear();
    if (strides.empty())
      return evaluation.badData("cannot add " + formatDims(c.getDims()) +
                                " to " + formatDims(tensor.getDims()));
    FloatElements bias(c);
    std::vector<int64_t> offsets = getOffsets({m, n}, strides);
    for (int64_t i = 0; i < result.size(); ++i) {
      float term = bias[offsets[i]];
      if (beta != 1)
        term = beta * term;
      result[i] += term;
    }
  }
  result.commit();
  return Error::success();
}
