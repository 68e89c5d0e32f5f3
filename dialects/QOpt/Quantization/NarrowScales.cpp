//===- NarrowScales.cpp - Scales that are powers of two, by type ----------===//
//
// The type is the proof that later passes ask for. It is decided on bits.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"

namespace qopt {
#define GEN_PASS_DEF_NARROWSCALESPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// The bytes of a constant's exponents; nothing unless all are powers of two.
static std::optional<SmallVector<int64_t>> getExponentBytes(Value scale) {
  auto constant = scale.getDefiningOp<ConstantOp>();
  if (!constant ||
      !cast<RankedTensorType>(scale.getType()).getElementType().isF32())
    return std::nullopt;
  SmallVector<int64_t> bytes;
  for (double real : readReals(constant)) {
    std::optional<uint8_t> byte = exactE8M0(static_cast<float>(real));
    if (!byte)
      return std::nullopt;
    bytes.push_back(*byte);
  }
  return bytes;
}

namespace {
struct NarrowScales : qopt::impl::NarrowScalesPassBase<NarrowScales> {
  using NarrowScalesPassBase::NarrowScalesPassBase;

  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      if (auto scaled = dyn_cast<ScaledOpInterface>(op))
        for (const ScaledTensor &codes : scaled.getScaledTensors())
          narrow(op, codes);
    });
  }

private:
  /// All scales of an operand or none: a mixed list has another formula.
  void narrow(Operation *op, const ScaledTensor &codes) {
    Type exponentType = Float8E8M0FNUType::get(&getContext());
    FormatAttr format = codes.format;
    // The attribute can say another type of the first scale only.
    if (format && format.getScaleTypes().size() > 1)
      return;
    SmallVector<SmallVector<int64_t>> bytes;
    for (Value scale : codes.scales) {
      auto type = cast<RankedTensorType>(scale.getType());
      if (type.getElementType() == exponentType) {
        bytes.emplace_back();
        continue;
      }
      auto exponents = getExponentBytes(scale);
      if (!exponents)
        return;
      bytes.push_back(*exponents);
    }
    for (auto [i, exponents] : llvm::enumerate(bytes)) {
      if (exponents.empty())
        continue;
      OpOperand &scale =
          op->getOpOperand(codes.scales.getBeginOperandIndex() + i);
      OpBuilder builder(op);
      scale.set(createConstant(
          builder, scale.get().getLoc(), exponents,
          cast<RankedTensorType>(scale.get().getType()).getShape(),
          exponentType));
      ++numNarrowed;
    }
    if (!format || codes.scales.empty() ||
        format.getScaleTypes().front() == exponentType)
      return;
    op->setAttr(codes.formatName,
                FormatAttr::get(&getContext(), format.getName(),
                                format.getAxis(), format.getBlock(),
                                exponentType, format.getZero()));
  }
};
} // namespace
