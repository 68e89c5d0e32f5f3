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

namespace {

/// What an output loses on average, and how sure that is.
class Loss {
public:
  /// A product with a channel whose weight lost `error`.
  void add(const Statistics &stats, size_t channel, double error) {
    double mean = stats.channelMean[channel];
    double square = stats.channelMeanSquare[channel];
    sum += mean * error;
    doubt += std::max(square - mean * mean, 0.0) * error * error /
             std::max<int64_t>(stats.samples, 1);
  }

  /// The part of the loss that is there in new samples too: all of it beside a
  /// small variance of its mean, none of what samples show by chance. It is the
  /// factor of least expected square, m^2 / (m^2 + v).
  double getSure() const {
    double square = sum * sum;
    return square > 0 ? sum * square / (square + doubt) : 0;
  }

private:
  /// The loss, and the variance of its mean over the samples.
  double sum = 0, doubt = 0;
};

} // namespace

/// What each output of a convolution loses.
static std::vector<Loss> lossOfConv(ConvOp conv, const Statistics &stats,
                                    ArrayRef<float> exact,
                                    ArrayRef<float> coded) {
  auto type = cast<RankedTensorType>(conv.getW().getType());
  int64_t outputs = type.getDimSize(0), inputs = type.getDimSize(1);
  int64_t taps = exact.size() / (outputs * inputs);
  int64_t outputsOfGroup = outputs / conv.getGroup();
  std::vector<Loss> loss(outputs);
  for (int64_t i = 0, e = exact.size(); i < e; ++i) {
    int64_t output = i / (inputs * taps), input = i / taps % inputs;
    loss[output].add(stats, output / outputsOfGroup * inputs + input,
                     double(exact[i]) - coded[i]);
  }
  return loss;
}

/// What each column of a product loses.
static std::vector<Loss> lossOfMatMul(const Statistics &stats,
                                      ArrayRef<float> exact,
                                      ArrayRef<float> coded) {
  int64_t columns = exact.size() / stats.channelMean.size();
  std::vector<Loss> loss(columns);
  for (int64_t i = 0, e = exact.size(); i < e; ++i)
    loss[i % columns].add(stats, i / columns, double(exact[i]) - coded[i]);
  return loss;
}

/// A constant of the sum of `bias`, one number or one for each output, and the
/// loss; null where `bias` is something else.
static Value addLoss(OpBuilder &builder, Value bias, ArrayRef<Loss> loss) {
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
    sum.push_back(static_cast<float>(tensor->as<float>()[count == 1 ? 0 : i] +
                                     loss[i].getSure()));
  return createConstant(builder, constant.getLoc(), sum, dims);
}

static void correctConv(ConvOp conv, ArrayRef<Loss> loss) {
  OpBuilder builder(conv);
  if (Value bias = conv.getBias()) {
    if (Value sum = addLoss(builder, bias, loss))
      conv.getBiasMutable().assign(sum);
    return;
  }
  SmallVector<float> bias;
  for (const Loss &each : loss)
    bias.push_back(static_cast<float>(each.getSure()));
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
  if (means.empty() || stats.channelMeanSquare.size() != means.size())
    return;
  if (auto conv = dyn_cast<ConvOp>(op)) {
    auto type = cast<RankedTensorType>(conv.getW().getType());
    int64_t inputs = type.getDimSize(1) * conv.getGroup();
    if (stats.channelAxis == 1 && static_cast<int64_t>(means.size()) == inputs)
      correctConv(
          conv, lossOfConv(conv, stats, exact.as<float>(), coded.as<float>()));
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
                  lossOfMatMul(stats, exact.as<float>(), coded.as<float>())))
    addend->set(sum);
}
