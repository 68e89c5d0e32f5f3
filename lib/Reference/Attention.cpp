//===- Attention.cpp - Evaluation of attention ----------------------------===//
//
// Rows are independent; all rows of a matrix walk the key blocks together so
// that their chains run side by side.
//
//===----------------------------------------------------------------------===//

#include "Chains.h"
#include "Elements.h"
#include "Evaluation.h"
#include "RowSum.h"
#include "dialects/QOpt/Numerics/Exponential.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;

static constexpr int64_t kBlockKeys = 64;
static constexpr float kInfinity = std::numeric_limits<float>::infinity();

namespace {
/// One matrix of queries with its keys and values.
struct Head {
  int64_t queries, keys, depth, width;
  const float *query, *key, *value;
  float scale;
  /// The mask of this head, or null. Its element for (query, key) is at
  /// maskStrides[0] * query + maskStrides[1] * key.
  const float *mask;
  int64_t maskStrides[2];
  /// The result where the sum of the row's exponentials is 0.
  float empty;
  float *result;
};
} // namespace

/// scores[i][j] for the keys [begin, begin + count), each row of `count`.
static void computeScores(const Head &head, int64_t begin, int64_t count,
                          std::vector<float> &scores) {
  std::vector<float> transposed(head.depth * count);
  for (int64_t j = 0; j < count; ++j)
    for (int64_t d = 0; d < head.depth; ++d)
      transposed[d * count + j] = head.key[(begin + j) * head.depth + d];
  scores.assign(head.queries * count, 0.0f);
  addProducts(head.queries, count, head.depth,
              Matrix<const float>{head.query, head.depth},
              Matrix<const float>{transposed.data(), count},
              Matrix<float>{scores.data(), count});
  numerics::ScalarPolicy b;
  for (int64_t i = 0; i < head.queries; ++i)
    for (int64_t j = 0; j < count; ++j) {
      float &score = scores[i * count + j];
      score = b.mul(score, head.scale);
      if (head.mask)
        score = b.add(score, head.mask[i * head.maskStrides[0] +
                                       (begin + j) * head.maskStrides[1]]);
    }
}

static void evaluateHead(const Head &head) {
  numerics::ScalarPolicy b;
  std::vector<float> m(head.queries, -kInfinity), l(head.queries, 0.0f), p;
  for (int64_t begin = 0; begin < head.keys; begin += kBlockKeys) {
    int64_t count = std::min(kBlockKeys, head.keys - begin);
    computeScores(head, begin, count, p);
    for (int64_t i = 0; i < head.queries; ++i) {
      float *row = p.data() + i * count;
      float newMax = m[i];
      for (int64_t j = 0; j < count; ++j)
        newMax = b.max(row[j], newMax);
      float c = newMax == -kInfinity ? 0 : newMax;
      for (int64_t j = 0; j < count; ++j)
        row[j] = numerics::expF32(b, b.sub(row[j], c));
      float a = numerics::expF32(b, b.sub(m[i], c));
      l[i] = b.fma(a, l[i], rowSum(count, [&](int64_t j) { return row[j]; }));
      m[i] = newMax;
      for (int64_t d = 0; d < head.width; ++d) {
        float &o = head.result[i * head.width + d];
        o = b.mul(a, o);
      }
    }
    addProducts(
        head.queries, head.width, count, Matrix<const float>{p.data(), count},
        Matrix<const float>{head.value + begin * head.width, head.width},
        Matrix<float>{head.result, head.width});
  }
  for (int64_t i = 0; i < head.queries; ++i)
    for (int64_t d = 0; d < head.width; ++d) {
      float &o = head.result[i * head.width + d];
      o = l[i] == 0 ? head.empty : b.div(o, l[i]);
    }
}

Error reference::evaluateAttention(const Evaluation &evaluation,
                                   AttentionOp op) {
  const HostTensor &query = evaluation[op.getQuery()];
  const HostTensor &key = evaluation[op.getKey()];
  const HostTensor &value = evaluation[op.getValue()];
  for (const HostTensor &operand : evaluation.operands)
    if (!isFloat(operand.getType()))
      return evaluation.unsupported("has no formula for " +
                                    getName(operand.getType()));
  ArrayRef<int64_t> leading = query.getDims().drop_back(2);
  Head head;
  head.queries = query.getDims().drop_back().back();
  head.depth = query.getDims().back();
  head.keys = key.getDims().drop_back().back();
  head.width = value.getDims().back();
  if (key.getDims().drop_back(2) != leading ||
      value.getDims().drop_back(2) != leading ||
      key.getDims().back() != head.depth ||
      value.getDims().drop_back().back() != head.keys)
    return evaluation.badData("cannot combine query " +
                              formatDims(query.getDims()) + ", key " +
                              formatDims(key.getDims()) + " and value " +
                              formatDims(value.getDims()));
  Shape maskTarget(leading);
  maskTarget.append({head.queries, head.keys});
  Shape maskStrides(maskTarget.size(), 0);
  if (op.getMask()) {
    ArrayRef<int64_t> maskDims = evaluation[op.getMask()].getDims();
    for (auto [dim, target] :
         llvm::zip(llvm::reverse(maskDims), llvm::reverse(maskTarget)))
      if (maskDims.size() > maskTarget.size() || (dim != 1 && dim != target))
        return evaluation.badData("cannot use a mask of " +
                                  formatDims(maskDims) + " for " +
                                  formatDims(maskTarget));
    maskStrides = getBroadcastStrides(maskDims, maskTarget);
  }
  std::vector<int64_t> maskOffsets =
      getOffsets(leading, ArrayRef<int64_t>(maskStrides).drop_back(2));
  FloatElements queries(query), keys(key), values(value);
  FloatElements masks(op.getMask() ? evaluation[op.getMask()] : query);
  FloatResult result(evaluation.result());
  head.scale = op.getScale().convertToFloat();
  head.empty = op.getMaskedRowsAreZero() || head.keys == 0
                   ? 0
                   : std::numeric_limits<float>::quiet_NaN();
  head.maskStrides[0] = maskStrides[maskStrides.size() - 2];
  head.maskStrides[1] = maskStrides.back();
  for (int64_t i = 0, e = getProduct(leading); i < e; ++i) {
    head.query = queries.data() + i * head.queries * head.depth;
    head.key = keys.data() + i * head.keys * head.depth;
    head.value = values.data() + i * head.keys * head.width;
    head.mask = op.getMask() ? masks.data() + maskOffsets[i] : nullptr;
    head.result = result.data() + i * head.queries * head.width;
    evaluateHead(head);
  }
  result.commit();
  return Error::success();
}
