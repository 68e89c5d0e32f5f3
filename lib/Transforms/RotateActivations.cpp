//===- RotateActivations.cpp - Outliers spread over their block -----------===//
//
// A rotation is a part of the program, and not of the weights alone: the run
// rotates the activation, and the weights that read it take that back. Where a
// block has one wide channel, each channel of the rotated block has a piece.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Numerics/Hadamard.h"
#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "qopt/Transforms/Methods.h"
#include <random>

using namespace mlir;
using namespace qopt;

/// Signs of the channels of a block. Without them, a block of equal values
/// would be one wide value.
static std::vector<float> makeSigns(int64_t block) {
  // The same on every machine: the standard fixes its numbers.
  std::mt19937_64 random;
  std::vector<float> signs;
  for (int64_t channel = 0; channel < block; ++channel)
    signs.push_back(random() >> 63 ? -1.0f : 1.0f);
  return signs;
}

/// The transposed rotation, which weights are multiplied by: H times the signs
/// of its columns.
static std::vector<float> makeRotationBack(ArrayRef<float> signs) {
  int64_t block = static_cast<int64_t>(signs.size());
  std::vector<float> back = numerics::makeHadamardMatrix(block);
  for (auto [i, value] : llvm::enumerate(back))
    value *= signs[i % block];
  return back;
}

static Value reshape(OpBuilder &builder, Location loc, Value x,
                     ArrayRef<int64_t> dims) {
  int64_t rank = static_cast<int64_t>(dims.size());
  Value wanted =
      createConstant(builder, loc, dims, {rank}, builder.getI64Type());
  return ReshapeOp::create(builder, loc,
                           RankedTensorType::get(dims, builder.getF32Type()), x,
                           wanted, /*allow_zero=*/true);
}

namespace {
class RotateActivations : public Transformation {
public:
  llvm::StringRef getName() const override { return "rotate"; }

  llvm::ArrayRef<MethodOption> getOptions() const override {
    static const MethodOption options[] = {
        {"rotate", std::string("off"),
         oneOf({"off", "16", "32", "64", "128", "256"}),
         "rotates activations of products in blocks of so many channels, by a "
         "Hadamard matrix with random signs, and their weights back: wide "
         "channels are spread over their block. Costs a transform a run",
         "'64'", "w8a8-dynamic"},
    };
    return options;
  }

  llvm::StringRef getDescription() const override {
    return R"(```mlir
%y = qopt.matmul %x, %w                       // tensor<?x128xf32>, tensor<128x8xf32>
// becomes, with blocks of 64
%xs = qopt.mul %x, %s                         // s: 128 signs
%xq = qopt.hadamard %xs {block = 64}
%wb = qopt.reshape %w                         // tensor<2x64x8xf32>
%wr = qopt.matmul %q, %wb                     // q: 64 x 64, orthogonal
%wq = qopt.reshape %wr
%y = qopt.matmul %xq, %wq
```

The product on the weight is a weight expression; the transform of the activation
is computed in each run, by n log2(n) sums a block. All matmuls that read one
activation, and whose weights are to have codes, share it. The signs are random,
always the same ones, and q is the Hadamard matrix times them, divided by the root
of its size.

Leaves alone convolutions, matmuls whose channels are no multiple of the block,
and, where codes are computed from
codes, activations of an op that has an integer form. MX formats gain most from
rotations of their own block, 32. Weights of four bits lose where small ones meet
wide channels, which smoothing serves better.

Drops the statistics: a static range is that of rotated samples.

Numerics: bounded; sums of a block, rounded in f32, also with pow2 factors.
QuaRot (Ashkboos et al. 2024), in blocks.
)";
  }

  TransformedActivations getActivations() const override {
    return TransformedActivations::Weighted;
  }

  void apply(const LayerGroup &group, const TransformSettings &settings,
             const MethodOptions &options) const override {
    if (settings.keepsCodes && isMadeFromCodes(group.activation))
      return;
    int64_t block = std::stoll(options.get<std::string>(getName()));
    SmallVector<MatMulOp> matmuls;
    for (const Layer &layer : group.layers)
      if (canRotate(layer, block))
        matmuls.push_back(cast<MatMulOp>(layer.op));
    if (!matmuls.empty())
      rotate(group.activation, matmuls, block);
  }

private:
  static bool canRotate(const Layer &layer, int64_t block) {
    auto matmul = dyn_cast<MatMulOp>(layer.op);
    if (!matmul || layer.view.hasScales() ||
        !(layer.isQuantized() || layer.isWeightOnly()))
      return false;
    auto activation = typeOf(matmul.getLhs()), weight = typeOf(matmul.getRhs());
    return activation.getRank() >= 2 && weight.hasStaticShape() &&
           activation.getElementType().isF32() &&
           weight.getElementType().isF32() &&
           activation.getShape().back() == weight.getDimSize(0) &&
           weight.getDimSize(0) != 0 && weight.getDimSize(0) % block == 0;
  }

  static void rotate(Value activation, ArrayRef<MatMulOp> matmuls,
                     int64_t block) {
    std::vector<float> signs = makeSigns(block);
    std::vector<float> back = makeRotationBack(signs);
    Operation *first = matmuls.front();
    for (MatMulOp matmul : matmuls)
      if (matmul->isBeforeInBlock(first))
        first = matmul;
    OpBuilder builder(first);
    Location loc = first->getLoc();
    auto type = typeOf(activation);
    int64_t channels = type.getShape().back();
    SmallVector<float> ofChannels;
    for (int64_t channel = 0; channel < channels; ++channel)
      ofChannels.push_back(signs[channel % block]);
    Value factors = createConstant(builder, loc, ofChannels, {channels});
    Value signedValue = MulOp::create(builder, loc, type, activation, factors);
    Value rotated = HadamardOp::create(builder, loc, type, signedValue, block);
    for (MatMulOp matmul : matmuls) {
      builder.setInsertionPoint(matmul);
      matmul.getLhsMutable().assign(rotated);
      matmul.getRhsMutable().assign(
          rotateWeight(builder, matmul.getLoc(), matmul.getRhs(), back, block));
    }
  }

  static Value rotateWeight(OpBuilder &builder, Location loc, Value weight,
                            ArrayRef<float> back, int64_t block) {
    int64_t channels = typeOf(weight).getDimSize(0);
    int64_t outputs = typeOf(weight).getDimSize(1);
    Value blocks =
        reshape(builder, loc, weight, {channels / block, block, outputs});
    Value qt = createConstant(builder, loc, back, {block, block});
    Value product = MatMulOp::create(
        builder, loc, typeOf(blocks), qt,
        /*lhs_scales=*/ValueRange{}, /*lhs_zeros=*/ValueRange{}, blocks,
        /*rhs_scales=*/ValueRange{},
        /*rhs_zeros=*/ValueRange{}, /*lhs_format=*/nullptr,
        /*rhs_format=*/nullptr);
    return reshape(builder, loc, product, {channels, outputs});
  }
};
} // namespace

namespace qopt {
void registerRotateActivations(MethodRegistry &registry) {
  registry.add(std::make_unique<RotateActivations>());
}
} // namespace qopt
