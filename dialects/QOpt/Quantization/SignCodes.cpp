//===- SignCodes.cpp - Signed codes in place of unsigned ones -------------===//
//
// Quantized files have activations of 8 bits without a sign, and the fastest
// kernels take signed ones. A code and its zero point less 128 stand for the
// same number, and rounding and clamping meet the same codes.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"

namespace qopt {
#define GEN_PASS_DEF_SIGNCODESPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static constexpr int64_t kOffset = 128;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static bool isUnsigned8(FormatAttr format) {
  return format && format.getName() == "ui8" && !format.isBlocked();
}

/// True for zeros that are known.
static bool areConstant(OperandRange zeros) {
  return llvm::all_of(zeros, [](Value zero) {
    return zero.getDefiningOp<ConstantOp>() != nullptr;
  });
}

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

  /// The zero and the format of an op between reals and codes.
  template <typename Op> void signParameters(Op op) {
    FormatAttr format = op.getFormatAttr();
    op.setFormatAttr(FormatAttr::get(&getContext(), "i8", format.getAxis(),
                                     format.getBlock(), format.getScale(),
                                     format.getZero()));
    OpBuilder builder(op);
    SmallVector<int64_t> zeros{0};
    SmallVector<int64_t> dims(typeOf(op.getResult()).getRank(), 1);
    if (!op.getZeros().empty()) {
      auto constant =
          op.getZeros().front().template getDefiningOp<ConstantOp>();
      zeros = llvm::map_to_vector(readReals(constant), [](double zero) {
        return static_cast<int64_t>(zero);
      });
      dims = llvm::to_vector(typeOf(constant.getResult()).getShape());
    }
    for (int64_t &zero : zeros)
      zero -= kOffset;
    op.getZerosMutable().assign(createConstant(
        builder, op.getLoc(), zeros, dims, builder.getIntegerType(8)));
  }
};
} // namespace
