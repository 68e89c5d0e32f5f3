//===- ChannelFactors.cpp - Factors between channels and products ---------===//

#include "ChannelFactors.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "qopt/Reference/ExpressionValue.h"

using namespace mlir;
using namespace qopt;

std::optional<HostTensor> qopt::evaluateWeight(MatMulOp matmul,
                                               const Statistics &stats) {
  bool isOfChannels =
      stats.channelAxis == typeOf(matmul.getLhs()).getRank() - 1 &&
      static_cast<int64_t>(stats.channelMin.size()) ==
          typeOf(matmul.getRhs()).getDimSize(0);
  return isOfChannels ? evaluateExpression(matmul.getRhs()) : std::nullopt;
}

/// Multiplies what a norm makes by `r`, in its scale and bias; false where
/// something else than `matmuls` reads it or these are no constants for each
/// channel.
static bool scaleNorm(Value activation, ArrayRef<Operation *> matmuls,
                      Value r) {
  auto norm = activation.getDefiningOp<LayerNormOp>();
  auto isOfGroup = [&](Operation *user) {
    return llvm::is_contained(matmuls, user);
  };
  auto isChannels = [&](Value vector) {
    return vector.getType() == r.getType() &&
           vector.getDefiningOp<ConstantOp>();
  };
  if (!norm || !llvm::all_of(activation.getUsers(), isOfGroup) ||
      !isChannels(norm.getScale()) ||
      (norm.getBias() && !isChannels(norm.getBias())))
    return false;
  OpBuilder builder(norm);
  for (OpOperand &operand : norm->getOpOperands().drop_front())
    operand.set(
        MulOp::create(builder, norm.getLoc(), r.getType(), operand.get(), r));
  setStatistics(activation, std::nullopt);
  return true;
}

void qopt::applyFactors(Value activation, ArrayRef<Operation *> matmuls,
                        const FactorChoice &choice, StringRef transform) {
  int64_t k = choice.factors.size();
  SmallVector<float> reciprocals;
  for (float factor : choice.factors)
    reciprocals.push_back(1.0f / factor);
  DictionaryAttr description =
      choice.describe(activation.getContext(), transform);
  Operation *first = matmuls.front();
  for (Operation *matmul : matmuls)
    if (matmul->isBeforeInBlock(first))
      first = matmul;
  OpBuilder builder(first);
  Location loc = first->getLoc();
  if (auto norm = activation.getDefiningOp<LayerNormOp>())
    builder.setInsertionPoint(norm);
  Value r = createConstant(builder, loc, reciprocals, {k});
  builder.setInsertionPoint(first);
  Value scaled = activation;
  if (!scaleNorm(activation, matmuls, r))
    scaled = MulOp::create(builder, loc, activation.getType(), activation, r);
  Value s = createConstant(builder, loc, choice.factors, {k, 1});
  for (Operation *op : matmuls) {
    auto matmul = cast<MatMulOp>(op);
    builder.setInsertionPoint(matmul);
    Value weight = MulOp::create(builder, matmul.getLoc(),
                                 matmul.getRhs().getType(), matmul.getRhs(), s);
    matmul.getLhsMutable().assign(scaled);
    matmul.getRhsMutable().assign(weight);
    matmul->setAttr(kFactorsAttrName, description);
  }
}
