//===- RotateActivations.cpp - Outliers spread over their block -----------===//
//
// A rotation is a part of the program, and not of the weights alone: the run
// rotates the activation, and the weights that read it take that back. Where a
// block has one wide channel, each channel of the rotated block has a piece.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "qopt/Transforms/Methods.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace qopt;

/// A Hadamard matrix of `size` with signs for its rows, divided by its norm:
/// orthogonal. Without signs, a block of equal values would be one wide value.
static std::vector<float> makeRotation(int64_t size) {
  // The same on every machine: the standard fixes its numbers.
  std::mt19937_64 random;
  float norm = static_cast<float>(1 / std::sqrt(static_cast<double>(size)));
  std::vector<float> rotation;
  for (uint64_t row = 0; row < static_cast<uint64_t>(size); ++row) {
    bool isNegative = random() >> 63;
    for (uint64_t column = 0; column < static_cast<uint64_t>(size); ++column)
      rotation.push_back(
          (llvm::popcount(row & column) % 2 != isNegative) ? -norm : norm);
  }
  return rotation;
}

static std::vector<float> transpose(ArrayRef<float> square, int64_t size) {
  std::vector<float> transposed(square.size());
  for (int64_t row = 0; row < size; ++row)
    for (int64_t column = 0; column < size; ++column)
      transposed[column * size + row] = square[row * size + column];
  return transposed;
}

/// `x` with other dims, of which the first `copied` are those of `x`.
static Value reshape(OpBuilder &builder, Location loc, Value x, int64_t copied,
                     ArrayRef<int64_t> others) {
  SmallVector<int64_t> shape(copied, 0), dims;
  llvm::append_range(dims, typeOf(x).getShape().take_front(copied));
  for (auto *list : {&shape, &dims})
    llvm::append_range(*list, others);
  int64_t rank = static_cast<int64_t>(shape.size());
  Value wanted =
      createConstant(builder, loc, shape, {rank}, builder.getI64Type());
  return ReshapeOp::create(builder, loc,
                           RankedTensorType::get(dims, builder.getF32Type()), x,
                           wanted, /*allow_zero=*/false);
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
         "channels are spread over their block. Costs a small product a run",
         "'64'", "w8a8-dynamic"},
    };
    return options;
  }

  llvm::StringRef getDescription() const override {
    return R"(```mlir
%y = qopt.matmul %x, %w                       // tensor<?x128xf32>, tensor<128x8xf32>
// becomes, with blocks of 64
%xb = qopt.reshape %x                         // tensor<?x2x64xf32>
%xr = qopt.matmul %xb, %q                     // q: 64 x 64, orthogonal
%xq = qopt.reshape %xr                        // tensor<?x128xf32>
%wb = qopt.reshape %w                         // tensor<2x64x8xf32>
%wr = qopt.matmul %qt, %wb                    // qt = q transposed
%wq = qopt.reshape %wr
%y = qopt.matmul %xq, %wq
```

The products on the weight are a weight expression; that on the activation is
computed in each run, in floats. All matmuls that read one activation, and whose
weights are to have codes, share it. q is a Hadamard matrix whose rows have random
signs, always the same ones, divided by the root of its size.

Leaves alone convolutions, matmuls whose channels are no multiple of the block,
and, where codes are computed from
codes, activations of an op that has an integer form. MX formats gain most from
rotations of their own block, 32. Weights of four bits lose where small ones meet
wide channels, which smoothing serves better.

Drops the statistics: a static range is that of rotated samples.

Numerics: bounded; sums of a block of products, rounded in f32, also with pow2
factors. QuaRot (Ashkboos et al. 2024), in blocks.
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
    std::vector<float> rotation = makeRotation(block);
    std::vector<float> back = transpose(rotation, block);
    Operation *first = matmuls.front();
    for (MatMulOp matmul : matmuls)
      if (matmul->isBeforeInBlock(first))
        first = matmul;
    OpBuilder builder(first);
    Location loc = first->getLoc();
    int64_t channels = typeOf(activation).getShape().back();
    int64_t leading = typeOf(activation).getRank() - 1;

    Value blocks =
        reshape(builder, loc, activation, leading, {channels / block, block});
    Value q = createConstant(builder, loc, rotation, {block, block});
    auto product = createProduct(builder, loc, typeOf(blocks), blocks, q);
    // What the run computes is a product that nobody asked to have codes.
    product->setAttr(kRequestAttrName,
                     RequestAttr::get(builder.getContext(), Params::Float,
                                      /*act=*/nullptr, /*weight=*/nullptr,
                                      builder.getStringAttr("rotation")));
    Value rotated =
        reshape(builder, loc, product.getResult(), leading, {channels});
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
        reshape(builder, loc, weight, 0, {channels / block, block, outputs});
    Value qt = createConstant(builder, loc, back, {block, block});
    Value product =
        createProduct(builder, loc, typeOf(blocks), qt, blocks).getResult();
    return reshape(builder, loc, product, 0, {channels, outputs});
  }

  static MatMulOp createProduct(OpBuilder &builder, Location loc, Type type,
                                Value lhs, Value rhs) {
    return MatMulOp::create(builder, loc, type, lhs,
                            /*lhs_scales=*/ValueRange{},
                            /*lhs_zeros=*/ValueRange{}, rhs,
                            /*rhs_scales=*/ValueRange{},
                            /*rhs_zeros=*/ValueRange{}, /*lhs_format=*/nullptr,
                            /*rhs_format=*/nullptr);
  }
};
} // namespace

namespace qopt {
void registerRotateActivations(MethodRegistry &registry) {
  registry.add(std::make_unique<RotateActivations>());
}
} // namespace qopt
