//===- SignCodes.cpp - Signed codes in place of unsigned ones -------------===//
//
// Quantized files have activations and weights of 8 bits without a sign, and
// the fastest kernels take signed ones. A code and its zero point less 128
// stand for the same number, and rounding and clamping meet the same codes.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/HostConstants.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"

namespace qopt {
#define GEN_PASS_DEF_SIGNCODESPASS
#define GEN_PASS_DEF_SIGNWEIGHTSPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static constexpr int64_t kOffset = 128;

static bool isUnsigned8(FormatAttr format) {
  return format && format.getName() == "ui8" && !format.isBlocked();
}

static bool isConstant(Value value) {
  return value.getDefiningOp<ConstantOp>() != nullptr;
}

/// True for zeros that are known.
static bool areConstant(OperandRange zeros) {
  return llvm::all_of(zeros, isConstant);
}

/// The zeros of `op` as they are written: one of 0 where there is none.
template <typename Op>
static std::pair<SmallVector<int64_t>, SmallVector<int64_t>> readZeros(Op op) {
  if (op.getZeros().empty())
    return {{0}, SmallVector<int64_t>(typeOf(op.getResult()).getRank(), 1)};
  auto constant = op.getZeros().front().template getDefiningOp<ConstantOp>();
  auto zeros = llvm::map_to_vector(readReals(constant), [](double zero) {
    return static_cast<int64_t>(zero);
  });
  return {zeros, llvm::to_vector(typeOf(constant.getResult()).getShape())};
}

static FormatAttr makeSigned(FormatAttr format) {
  return FormatAttr::get(format.getContext(), "i8", format.getAxis(),
                         format.getBlock(), format.getScale(),
                         format.getZero());
}

/// Makes the zero and the format of an op between reals and codes signed.
template <typename Op> static void signParameters(Op op) {
  op.setFormatAttr(makeSigned(op.getFormatAttr()));
  OpBuilder builder(op);
  auto [zeros, dims] = readZeros(op);
  for (int64_t &zero : zeros)
    zero -= kOffset;
  op.getZerosMutable().assign(createConstant(builder, op.getLoc(), zeros, dims,
                                             builder.getIntegerType(8)));
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

namespace {
/// A tensor of codes on its way from one quantizer to its dequantizers.
struct Codes {
  QuantizeOp quantize;
  SmallVector<Operation *> movements;
  SmallVector<DequantizeOp> dequantizers;
};

struct SignCodes : qopt::impl::SignCodesPassBase<SignCodes> {
  void runOnOperation() override {
    SmallVector<Codes> found;
    getOperation().walk([&](QuantizeOp op) {
      if (std::optional<Codes> codes = follow(op))
        found.push_back(std::move(*codes));
    });
    for (Codes &codes : found)
      sign(codes);
  }

private:
  /// The ways of the codes of `op`; nothing where they are of another type, or
  /// something else sees them.
  static std::optional<Codes> follow(QuantizeOp op) {
    if (!isUnsigned8(op.getFormat()) || !areConstant(op.getZeros()))
      return std::nullopt;
    Codes codes{op, {}, {}};
    SmallVector<Value> pending{op.getResult()};
    while (!pending.empty())
      for (OpOperand &use : pending.pop_back_val().getUses()) {
        Operation *user = use.getOwner();
        if (use.getOperandNumber() != 0)
          return std::nullopt;
        if (auto dequantize = dyn_cast<DequantizeOp>(user)) {
          if (!isUnsigned8(dequantize.getFormatAttr()) ||
              !areConstant(dequantize.getZeros()))
            return std::nullopt;
          codes.dequantizers.push_back(dequantize);
        } else if (isMovement(user)) {
          codes.movements.push_back(user);
          pending.push_back(user->getResult(0));
        } else {
          return std::nullopt;
        }
      }
    return codes;
  }

  void sign(Codes &codes) {
    setSigned(codes.quantize.getResult());
    for (Operation *movement : codes.movements)
      setSigned(movement->getResult(0));
    signParameters(codes.quantize);
    for (DequantizeOp dequantize : codes.dequantizers)
      signParameters(dequantize);
    ++numSigned;
  }

  void setSigned(Value codes) {
    codes.setType(typeOf(codes).clone(IntegerType::get(&getContext(), 8)));
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// A constant of codes of 8 bits, each less 128.
static Value signConstant(OpBuilder &builder, ConstantOp codes) {
  HostTensor tensor = llvm::cantFail(readConstant(codes));
  ArrayRef<int64_t> dims = tensor.getDims();
  HostTensor result =
      llvm::cantFail(HostTensor::allocate(ElementType::I8, dims));
  const char *from = tensor.getData();
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
    result.getMutableData()[i] = from[i] ^ static_cast<char>(kOffset);
  return createConstant(builder, codes.getLoc(), result,
                        builder.getIntegerType(8));
}

namespace {
struct SignWeights : qopt::impl::SignWeightsPassBase<SignWeights> {
  void runOnOperation() override {
    SmallVector<DequantizeOp> weights;
    getOperation().walk([&](DequantizeOp op) {
      if (isWeight(op))
        weights.push_back(op);
    });
    // What two dequantizers share stays one.
    llvm::DenseMap<Operation *, Value> made;
    for (DequantizeOp weight : weights) {
      if (isUnsigned8(weight.getFormatAttr())) {
        auto codes = weight.getCodes().getDefiningOp<ConstantOp>();
        Value &other = made[codes];
        if (!other) {
          OpBuilder builder(codes);
          other = signConstant(builder, codes);
          ++numSigned;
        }
        signParameters(weight);
        weight.getCodesMutable().assign(other);
      }
      simplifyZeros(weight);
    }
  }

private:
  static bool isWeight(DequantizeOp op) {
    return isConstant(op.getCodes()) && areConstant(op.getZeros()) &&
           op.getZeros().size() <= 1 && op.getFormat() &&
           !op.getFormat()->isBlocked() &&
           typeOf(op.getCodes()).getElementTypeBitWidth() == 8 &&
           isa<IntegerType>(typeOf(op.getCodes()).getElementType()) &&
           llvm::any_of(op->getUsers(), isContractionOfCodes);
  }

  /// Zeros that are all equal are one, and one of 0 is none.
  static void simplifyZeros(DequantizeOp op) {
    if (op.getZeros().empty())
      return;
    auto [zeros, dims] = readZeros(op);
    if (zeros.empty() || !llvm::all_equal(zeros))
      return;
    if (zeros.front() == 0)
      return op.getZerosMutable().clear();
    if (zeros.size() == 1)
      return;
    OpBuilder builder(op);
    op.getZerosMutable().assign(
        createConstant(builder, op.getLoc(), ArrayRef<int64_t>{zeros.front()},
                       SmallVector<int64_t>(dims.size(), 1),
                       typeOf(op.getCodes()).getElementType()));
  }
};
} // namespace
