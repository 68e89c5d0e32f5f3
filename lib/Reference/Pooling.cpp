//===- Pooling.cpp - Evaluation of pools ----------------------------------===//
//
// One or more spatial axes. Positions outside x never take part.
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "Evaluation.h"
#include "RowSum.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;

Error reference::evaluateGlobalAveragePool(const Evaluation &evaluation,
                                           GlobalAveragePoolOp op) {
  const HostTensor &tensor = evaluation[op.getX()];
  int64_t n = getProduct(tensor.getDims().drop_front(2));
  numerics::ScalarPolicy b;
  FloatElements x(tensor);
  FloatResult result(evaluation.result());
  for (int64_t row = 0; row < result.size(); ++row)
    result[row] = b.div(rowSum(n, [&](int64_t i) { return x[row * n + i]; }),
                        static_cast<float>(n));
  result.commit();
  return Error::success();
}

namespace {
struct Window {
  ArrayRef<int64_t> x, kernel, strides, pads, dilations;

  int64_t getDilation(size_t axis) const {
    return dilations.empty() ? 1 : dilations[axis];
  }
  /// Calls `visit(offset)` for the positions inside x of the window of the
  /// output at `position`, in row-major order of the kernel. Returns how many
  /// positions lie inside x and its pads.
  template <class Visit>
  int64_t forEach(ArrayRef<int64_t> position, Visit visit) const {
    Shape xStrides = getStrides(x), tap(kernel.size(), 0);
    int64_t padded = 0;
    for (int64_t i = 0, e = getProduct(kernel); i < e; ++i) {
      int64_t offset = 0;
      bool isInside = true, isPadded = true;
      for (size_t axis = 0; axis < kernel.size(); ++axis) {
        int64_t at = position[axis] * strides[axis] - pads[axis] +
                     tap[axis] * getDilation(axis);
        isInside &= at >= 0 && at < x[axis];
        isPadded &= at < x[axis] + pads[axis + kernel.size()];
        offset += at * xStrides[axis];
      }
      padded += isPadded;
      if (isInside)
        visit(offset);
      advance(tap, kernel);
    }
    return padded;
  }
};
} // namespace

/// Calls `compute(planeOffset, outputIndex, position)` for each output.
template <class Compute>
static void forEachOutput(const HostTensor &x, const HostTensor &result,
                          Compute compute) {
  ArrayRef<int64_t> outputs = result.getDims().drop_front(2);
  int64_t planes = getProduct(result.getDims().take_front(2));
  int64_t planeSize = getProduct(x.getDims().drop_front(2));
  int64_t outputSize = getProduct(outputs);
  for (int64_t plane = 0; plane < planes; ++plane) {
    Shape position(outputs.size(), 0);
    for (int64_t i = 0; i < outputSize; ++i) {
      compute(plane * planeSize, plane * outputSize + i, position);
      advance(position, outputs);
    }
  }
}

Error reference::evaluateAveragePool(const Evaluation &evaluation,
                                     AveragePoolOp op) {
  const HostTensor &tensor = evaluation[op.getX()];
  numerics::ScalarPolicy b;
  FloatElements x(tensor);
  FloatResult result(evaluation.result());
  Window window{tensor.getDims().drop_front(2),
                op.getKernel(),
                op.getStrides(),
                op.getPads(),
                {}};
  forEachOutput(tensor, evaluation.result(),
                [&](int64_t plane, int64_t output, ArrayRef<int64_t> position) {
                  float sum = 0;
                  int64_t inside = 0;
                  int64_t padded =
                      window.forEach(position, [&](int64_t offset) {
                        sum = b.add(sum, x[plane + offset]);
                        ++inside;
                      });
                  int64_t count = op.getCountIncludePad() ? padded : inside;
                  result[output] = b.div(sum, static_cast<float>(count));
                });
  result.commit();
  return Error::success();
}

Error reference::evaluateMaxPool(const Evaluation &evaluation, MaxPoolOp op) {
  const HostTensor &tensor = evaluation[op.getX()];
  HostTensor &result = evaluation.result();
  Window window{tensor.getDims().drop_front(2), op.getKernel(), op.getStrides(),
                op.getPads(), op.getDilations()};
  numerics::ScalarPolicy b;
  bool isCodes = isInteger(tensor.getType());
  FloatElements x(isCodes ? HostTensor() : tensor);
  forEachOutput(tensor, result,
                [&](int64_t plane, int64_t output, ArrayRef<int64_t> position) {
                  float max = -std::numeric_limits<float>::infinity();
                  int64_t maxCode = std::numeric_limits<int64_t>::min();
                  window.forEach(position, [&](int64_t offset) {
                    if (isCodes)
                      maxCode = std::max(maxCode,
                                         readInteger(tensor, plane + offset));
                    else
                      max = b.max(x[plane + offset], max);
                  });
                  if (isCodes)
                    writeInteger(result, output, maxCode);
                  else
                    writeFloat(result, output, max);
                });
  return Error::success();
}
