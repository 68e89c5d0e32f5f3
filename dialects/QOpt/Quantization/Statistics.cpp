//===- Statistics.cpp - What calibration knows of a tensor ----------------===//
//
// Conversion between the struct and the dictionary attribute.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/Statistics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace qopt;

float Statistics::channelPeak(size_t channel) const {
  return std::max(std::abs(channelMin[channel]), std::abs(channelMax[channel]));
}

double qopt::interpolateUnseen(ArrayRef<float> unseen, double margin) {
  constexpr size_t kLast = std::size(kUnseenMargins) - 1;
  if (unseen.size() != kLast + 1)
    return 0;
  for (size_t i = 0; i < kLast; ++i)
    if (margin < kUnseenMargins[i + 1]) {
      double part = (std::max(margin, 0.0) - kUnseenMargins[i]) /
                    (kUnseenMargins[i + 1] - kUnseenMargins[i]);
      return unseen[i] + part * (unseen[i + 1] - unseen[i]);
    }
  return unseen[kLast];
}

int64_t qopt::getChannelAxis(Value value) {
  for (Operation *user : value.getUsers())
    if (auto contraction = dyn_cast<ContractionOpInterface>(user)) {
      Contraction sum = contraction.getContraction();
      if (sum.isConvolution && sum.lhs.tensor == value)
        return sum.lhs.getProductAxis();
    }
  return std::max<int64_t>(
      cast<RankedTensorType>(value.getType()).getRank() - 1, 0);
}

/// Where the statistics of results and of arguments of regions stand: on the
/// op, one attribute for each but the first result named by its number.
static std::pair<Operation *, std::string> statisticsPlace(Value value) {
  if (auto result = dyn_cast<OpResult>(value)) {
    std::string name = kStatisticsAttrName.str();
    if (unsigned number = result.getResultNumber())
      name += ".result" + std::to_string(number);
    return {result.getOwner(), name};
  }
  auto argument = cast<BlockArgument>(value);
  Block *block = argument.getOwner();
  return {block->getParentOp(), (kStatisticsAttrName + ".region" +
                                 Twine(block->getParent()->getRegionNumber()) +
                                 ".argument" + Twine(argument.getArgNumber()))
                                    .str()};
}

/// The function whose argument `value` is, if it is one.
static func::FuncOp functionOf(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  return argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp())
                  : func::FuncOp();
}

DictionaryAttr qopt::getStatisticsAttr(Value value) {
  if (func::FuncOp function = functionOf(value))
    return function.getArgAttrOfType<DictionaryAttr>(
        cast<BlockArgument>(value).getArgNumber(), kStatisticsAttrName);
  auto [op, name] = statisticsPlace(value);
  return op->getAttrOfType<DictionaryAttr>(name);
}

std::optional<Statistics> qopt::getStatistics(Value value) {
  DictionaryAttr dictionary = getStatisticsAttr(value);
  if (!dictionary)
    return std::nullopt;
  auto number = [&](StringRef name) -> float {
    auto attr = dictionary.getAs<FloatAttr>(name);
    return attr ? attr.getValue().convertToFloat() : 0.0f;
  };
  auto integer = [&](StringRef name) -> int64_t {
    auto attr = dictionary.getAs<IntegerAttr>(name);
    return attr ? attr.getInt() : 0;
  };
  auto vector = [&](StringRef name) -> std::vector<float> {
    auto attr = dictionary.getAs<DenseF32ArrayAttr>(name);
    return attr ? attr.asArrayRef().vec() : std::vector<float>();
  };
  Statistics stats;
  stats.min = number("min");
  stats.max = number("max");
  stats.meanSquare = number("mean_square");
  stats.rowPeakSquare = number("row_peak_square");
  stats.samples = integer("samples");
  stats.channelAxis = integer("channel_axis");
  stats.channelMin = vector("channel_min");
  stats.channelMax = vector("channel_max");
  stats.channelMean = vector("channel_mean");
  stats.channelMeanSquare = vector("channel_mean_square");
  stats.nonFinite = integer("non_finite");
  stats.unseenSquare = number("unseen_square");
  stats.unseenAbove = vector("unseen_above");
  stats.unseenBelow = vector("unseen_below");
  return stats;
}

static DictionaryAttr toDictionary(const Statistics &stats,
                                   MLIRContext *context) {
  Builder builder(context);
  return builder.getDictionaryAttr({
      builder.getNamedAttr("min", builder.getF32FloatAttr(stats.min)),
      builder.getNamedAttr("max", builder.getF32FloatAttr(stats.max)),
      builder.getNamedAttr("mean_square",
                           builder.getF32FloatAttr(stats.meanSquare)),
      builder.getNamedAttr("row_peak_square",
                           builder.getF32FloatAttr(stats.rowPeakSquare)),
      builder.getNamedAttr("samples", builder.getI64IntegerAttr(stats.samples)),
      builder.getNamedAttr("channel_axis",
                           builder.getI64IntegerAttr(stats.channelAxis)),
      builder.getNamedAttr("channel_min",
                           builder.getDenseF32ArrayAttr(stats.channelMin)),
      builder.getNamedAttr("channel_max",
                           builder.getDenseF32ArrayAttr(stats.channelMax)),
      builder.getNamedAttr("channel_mean",
                           builder.getDenseF32ArrayAttr(stats.channelMean)),
      builder.getNamedAttr("channel_mean_square", builder.getDenseF32ArrayAttr(
                                                      stats.channelMeanSquare)),
      builder.getNamedAttr("non_finite",
                           builder.getI64IntegerAttr(stats.nonFinite)),
      builder.getNamedAttr("unseen_square",
                           builder.getF32FloatAttr(stats.unseenSquare)),
      builder.getNamedAttr("unseen_above",
                           builder.getDenseF32ArrayAttr(stats.unseenAbove)),
      builder.getNamedAttr("unseen_below",
                           builder.getDenseF32ArrayAttr(stats.unseenBelow)),
  });
}

void qopt::setStatistics(Value value, const std::optional<Statistics> &stats) {
  setStatisticsAttr(value, stats ? toDictionary(*stats, value.getContext())
                                 : DictionaryAttr());
}

void qopt::setStatisticsAttr(Value value, DictionaryAttr dictionary) {
  if (func::FuncOp function = functionOf(value)) {
    unsigned index = cast<BlockArgument>(value).getArgNumber();
    if (dictionary)
      function.setArgAttr(index, kStatisticsAttrName, dictionary);
    else
      function.removeArgAttr(index, kStatisticsAttrName);
    return;
  }
  auto [op, name] = statisticsPlace(value);
  if (dictionary)
    op->setAttr(name, dictionary);
  else
    op->removeAttr(name);
}
