//===- EqualizeLayers.cpp - Cross-layer equalization ----------------------===//
//
// Works on weight expressions: it reads the weights to find the factors and
// writes products and quotients of expressions.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "dialects/QOpt/Quantization/WeightQuantizer.h"
#include <cmath>

namespace qopt {
#define GEN_PASS_DEF_EQUALIZELAYERSPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Two convolutions with at most a ReLU between them.
struct LayerPair {
  ConvOp first, second;
  Operation *between; // ReLU or null
};

static std::optional<LayerPair> findPair(ConvOp second) {
  Value middle = second.getX();
  Operation *between = nullptr;
  if (auto relu = middle.getDefiningOp<ReluOp>()) {
    if (!middle.hasOneUse())
      return std::nullopt;
    between = relu;
    middle = relu.getX();
  }
  auto first = middle.getDefiningOp<ConvOp>();
  if (!first || !middle.hasOneUse())
    return std::nullopt;
  auto view = getWeightedContraction(second);
  if (!view || (second.getGroup() > 1 && !view->isDepthwise))
    return std::nullopt;
  if (!isWeightExpression(first.getW()) ||
      !cast<RankedTensorType>(first.getW().getType()).getElementType().isF32())
    return std::nullopt;
  if (first.getBias() && !isWeightExpression(first.getBias()))
    return std::nullopt;
  return LayerPair{first, second, between};
}

/// Largest magnitude of each index of `axis`.
static SmallVector<float> peaksAlong(const HostTensor &weight, int64_t axis) {
  int64_t inner = 1, size = weight.getDims()[axis];
  for (int64_t dim : weight.getDims().drop_front(axis + 1))
    inner *= dim;
  SmallVector<float> peaks(size, 0.0f);
  for (auto [i, value] : llvm::enumerate(weight.as<float>())) {
    float &peak = peaks[(i / inner) % size];
    peak = std::max(peak, std::abs(value));
  }
  return peaks;
}

namespace {
struct EqualizeLayers : qopt::impl::EqualizeLayersPassBase<EqualizeLayers> {
  using EqualizeLayersPassBase::EqualizeLayersPassBase;

  void runOnOperation() override {
    SmallVector<LayerPair> pairs;
    getOperation().walk([&](ConvOp conv) {
      if (auto pair = findPair(conv))
        pairs.push_back(*pair);
    });
    for (LayerPair pair : pairs)
      equalize(pair);
  }

private:
  float factorFor(float first, float second) {
    if (!(first > 0) || !(second > 0))
      return 1;
    float factor = std::sqrt(first / second);
    return isPow2 ? roundFactorToPow2(factor) : factor;
  }

  void equalize(LayerPair pair) {
    std::optional<HostTensor> w1 = evaluateExpression(pair.first.getW());
    std::optional<HostTensor> w2 = evaluateExpression(pair.second.getW());
    if (!w1 || !w2)
      return;
    bool isDepthwise = pair.second.getGroup() > 1;
    SmallVector<float> r1 = peaksAlong(*w1, 0);
    SmallVector<float> r2 = peaksAlong(*w2, isDepthwise ? 0 : 1);
    if (r1.size() != r2.size())
      return;
    int64_t channels = r1.size();
    SmallVector<float> factors, reciprocals;
    for (auto [a, b] : llvm::zip_equal(r1, r2)) {
      factors.push_back(factorFor(a, b));
      reciprocals.push_back(1.0f / factors.back());
    }
    scaleOutputs(pair.first, reciprocals, channels);
    int64_t rank = w2->getRank();
    SmallVector<int64_t> dims(rank, 1);
    dims[isDepthwise ? 0 : 1] = channels;
    OpBuilder builder(pair.second);
    Location loc = pair.second.getLoc();
    ConvOp second = pair.second;
    Value s = createConstant(builder, loc, factors, dims);
    second.getWMutable().assign(
        MulOp::create(builder, loc, second.getW().getType(), second.getW(), s));
    setStatistics(pair.first.getResult(), std::nullopt);
    if (pair.between)
      setStatistics(pair.between->getResult(0), std::nullopt);
  }

  void scaleOutputs(ConvOp conv, ArrayRef<float> reciprocals,
                    int64_t channels) {
    OpBuilder builder(conv);
    Location loc = conv.getLoc();
    SmallVector<int64_t> dims(
        cast<RankedTensorType>(conv.getW().getType()).getRank(), 1);
    dims[0] = channels;
    Value r = createConstant(builder, loc, reciprocals, dims);
    conv.getWMutable().assign(
        MulOp::create(builder, loc, conv.getW().getType(), conv.getW(), r));
    if (!conv.getBias())
      return;
    Value rb = createConstant(builder, loc, reciprocals, {channels});
    conv.getBiasMutable().assign(MulOp::create(
        builder, loc, conv.getBias().getType(), conv.getBias(), rb));
  }
};
} // namespace
