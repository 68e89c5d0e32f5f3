//===- CorrectBias.cpp - Biases that know their weight's error ------------===//
//
// Padding counts as if it had the mean of the channel: what it changes at the
// borders is small beside what is won everywhere.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/CorrectBias.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"

using namespace mlir;
using namespace qopt;

/// What each output of a convolution loses.
static std::vector<double> lossOfConv(ConvOp conv, ArrayRef<float> means,
                                      ArrayRef<float> exact,
                                      ArrayRef<float> coded) {
  auto type = cast<RankedTensorType>(conv.getW().getType());
  int64_t outputs = type.getDimSize(0), inputs = type.getDimSize(1);
  int64_t taps = exact.size() / (outputs * inputs);
  int64_t outputsOfGroup = outputs / conv.getGroup();
  std::vector<double> loss(outputs, 0);
  for (int64_t i = 0, e = exact.size(); i < e; ++i) {
    int64_t output = i / (inputs * taps), input = i / taps % inputs;
    double mean = means[output / outputsOfGroup * inputs + input];
    loss[output] += mean * (double(exact[i]) - coded[i]);
  }
  return loss;
}

/// What each column of a product loses.
static std::vector<double> lossOfMatMul(ArrayRef<float> means,
                                        ArrayRef<float> exact,
                                        ArrayRef<float> coded) {
  int64_t columns = exact.size() / means.size();
  std::vector<double> loss(columns, 0);
  for (int64_t i = 0, e = exact.size(); i < e; ++i)
    loss[i % columns] += means[i / columns] * (double(exact[i]) - coded[i]);
  return loss;
}

/// A constant of the sum of `bias`, one number or one for each output, and the
/// loss; null where `bias` is something else.
static Value addLoss(OpBuilder &builder, Value bias, ArrayRef<double> loss) {
  auto constant = bias.getDefiningOp<ConstantOp>();
  if (!constant)
    return {};
  auto tensor = readConstant(constant);
  if (!tensor) {
    llvm::consumeError(tensor.takeError());
    return {};
  }
  int64_t outputs = loss.size(), count = tensor->getNumElements();
  if (tensor->getType() != ElementType::F32 || (count != 1 && count != outputs))
    return {};
  SmallVector<int64_t> dims(tensor->getDims());
  if (dims.empty() || (count == outputs && dims.back() != outputs))
    return {};
  dims.back() = outputs;
  SmallVector<float> sum;
  for (int64_t i = 0; i < outputs; ++i)
    sum.push_back(
        static_cast<float>(tensor->as<float>()[count == 1 ? 0 : i] + loss[i]));
  return createConstant(builder, constant.getLoc(), sum, dims);
}

static void correctConv(ConvOp conv, ArrayRef<double> loss) {
  OpBuilder builder(conv);
  if (Value bias = conv.getBias()) {
    if (Value sum = addLoss(builder, bias, loss))
      conv.getBiasMutable().assign(sum);
    return;
  }
  SmallVector<float> bias;
  for (double value : loss)
    bias.push_back(static_cast<float>(value));
  conv.getBiasMutable().assign(createConstant(
      builder, conv.getLoc(), bias, {static_cast<int64_t>(bias.size())}));
}

/// The constant operand of the sum that is the only user of `product`.
static OpOperand *findAddend(Value product) {
  if (!product.hasOneUse())
    return nullptr;
  auto add = dyn_cast<AddOp>(*product.user_begin());
  if (!add || add.getResult().getType() != product.getType())
    return nullptr;
  return &add->getOpOperand(add->getOperand(0) == product ? 1 : 0);
}

void qopt::correctBias(Operation *op, const Statistics &stats,
                       const HostTensor &exact, const HostTensor &coded) {
  ArrayRef<float> means = stats.channelMean;
  if (means.empty())
    return;
  if (auto conv = dyn_cast<ConvOp>(op)) {
    auto type = cast<RankedTensorType>(conv.getW().getType());
    int64_t inputs = type.getDimSize(1) * conv.getGroup();
    if (stats.channelAxis == 1 && static_cast<int64_t>(means.size()) == inputs)
      correctConv(
          conv, lossOfConv(conv, means, exact.as<float>(), coded.as<float>()));
    return;
  }
  auto matmul = cast<MatMulOp>(op);
  int64_t rank = cast<RankedTensorType>(matmul.getLhs().getType()).getRank();
  OpOperand *addend = findAddend(matmul.getResult());
  if (!addend || stats.channelAxis != rank - 1 ||
      static_cast<int64_t>(means.size()) != exact.getDims().front())
    return;
  OpBuilder builder(addend->getOwner());
  if (Value sum =
          addLoss(builder, addend->get(),
                  lossOfMatMul(means, exact.as<float>(), coded.as<float>())))
    addend->set(sum);
}
