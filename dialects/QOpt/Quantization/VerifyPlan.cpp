//===- VerifyPlan.cpp - What programs say of precision --------------------===//
//
// Requests and statistics are attributes that no verifier of an op knows.
// Passes index by the axes and channels that they name.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/VerifyPlan.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

/// Checks the format of the activations of a contraction.
static LogicalResult verifyActivation(Operation *op, RequestAttr request,
                                      const Contraction &view) {
  FormatAttr act = request.getAct();
  // request_c3
  int64_t expected = act.isBlocked() ? view.lhs.getProductAxis() : -1;
  if (act.getAxis() != expected)
    return op->emitOpError("is requested with activations of ")
           << act << ", but expects axis " << expected;
  // request_c4
  if (request.getParams() == Params::Static &&
      (act.isBlocked() || !isa<IntegerType>(act.getElementType())))
    return op->emitOpError("is requested with static activations of ")
           << act << ", but expects integers without blocks";
  return success();
}

LogicalResult qopt::verifyRequest(Operation *op) {
  auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
  if (!request || request.getParams() == Params::Float)
    return success();
  std::optional<Contraction> view = getWeightedContraction(op);
  auto gather = dyn_cast<GatherOp>(op);
  // What works on codes already only tells what was planned.
  if (!view && !gather)
    return success();
  // request_c1
  if (!request.getWeight() ||
      (request.getParams() == Params::WeightOnly) != !request.getAct())
    return op->emitOpError("is requested as ")
           << stringifyParams(request.getParams())
           << ", but the formats of its operands are not those";
  Value weight = view ? view->rhs.tensor : gather.getX();
  FormatAttr format = request.getWeight();
  // request_c2
  if (format.getAxis() >= cast<RankedTensorType>(weight.getType()).getRank() ||
      (format.isBlocked() && !format.hasAxis()))
    return op->emitOpError("is requested with weights of ")
           << request.getWeight() << ", but found " << weight.getType();
  return request.getAct() && view ? verifyActivation(op, request, *view)
                                  : success();
}

/// Calibration looks at finite values alone.
static bool isFinite(const Statistics &stats) {
  auto areFinite = [](ArrayRef<float> numbers) {
    return llvm::all_of(numbers,
                        [](float number) { return std::isfinite(number); });
  };
  // Squares of large values may be too large for their type.
  auto areNumbers = [](ArrayRef<float> squares) {
    return llvm::none_of(squares,
                         [](float square) { return std::isnan(square); });
  };
  return areFinite({stats.min, stats.max}) && areFinite(stats.channelMin) &&
         areFinite(stats.channelMax) && areFinite(stats.channelMean) &&
         areNumbers(
             {stats.meanSquare, stats.rowPeakSquare, stats.unseenSquare}) &&
         areNumbers(stats.channelMeanSquare) && areNumbers(stats.unseenAbove) &&
         areNumbers(stats.unseenBelow);
}

LogicalResult qopt::verifyStatistics(Value value) {
  std::optional<Statistics> stats = getStatistics(value);
  if (!stats)
    return success();
  if (!isFinite(*stats))
    return emitError(value.getLoc(),
                     "expects statistics of finite values, but found NaN or "
                     "infinity in ")
           << getStatisticsAttr(value);
  auto type = cast<RankedTensorType>(value.getType());
  for (const auto *channels :
       {&stats->channelMin, &stats->channelMax, &stats->channelMeanSquare}) {
    if (channels->empty() && stats->channelMin.empty())
      continue;
    int64_t axis = stats->channelAxis, found = channels->size();
    bool fits = channels->size() == stats->channelMin.size();
    if (type.getRank() == 0)
      fits &= axis == 0 && found == 1;
    else
      fits &= axis >= 0 && axis < type.getRank() &&
              (type.isDynamicDim(axis) || type.getDimSize(axis) == found);
    // qopt_c12
    if (!fits)
      return emitError(value.getLoc(), "expects statistics of the channels of ")
             << type << " along axis " << axis << ", but found " << found;
  }
  return success();
}
