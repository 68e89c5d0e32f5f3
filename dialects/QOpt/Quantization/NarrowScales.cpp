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
      if (auto quantize = dyn_cast<QuantizeOp>(op))
        narrow(op, quantize.getScalesMutable(), "format");
      else if (auto dequantize = dyn_cast<DequantizeOp>(op))
        narrow(op, dequantize.getScalesMutable(), "format");
      else if (auto matmul = dyn_cast<MatMulOp>(op)) {
        narrow(op, matmul.getLhsScalesMutable(), "lhs_format");
        narrow(op, matmul.getRhsScalesMutable(), "rhs_format");
      } else if (auto conv = dyn_cast<ConvOp>(op)) {
        narrow(op, conv.getXScalesMutable(), "x_format");
        narrow(op, conv.getWScalesMutable(), "w_format");
      }
    });
  }

private:
  /// All scales of an operand or none: a mixed list has another formula.
  void narrow(Operation *op, MutableOperandRange scales, StringRef formatName) {
    Type exponentType = Float8E8M0FNUType::get(&getContext());
    auto format = op->getAttrOfType<FormatAttr>(formatName);
    // The attribute can say another type of the first scale only.
    if (format && format.getScaleTypes().size() > 1)
      return;
    SmallVector<SmallVector<int64_t>> bytes;
    for (OpOperand &scale : scales) {
      auto type = cast<RankedTensorType>(scale.get().getType());
      if (type.getElementType() == exponentType) {
        bytes.emplace_back();
        continue;
      }
      auto exponents = getExponentBytes(scale.get());
      if (!exponents)
        return;
      bytes.push_back(*exponents);
    }
    for (auto [scale, exponents] : llvm::zip_equal(scales, bytes)) {
      if (exponents.empty())
        continue;
      OpBuilder builder(op);
      scale.set(createConstant(
          builder, scale.get().getLoc(), exponents,
          cast<RankedTensorType>(scale.get().getType()).getShape(),
          exponentType));
      ++numNarrowed;
    }
    if (!format || scales.empty() ||
        format.getScaleTypes().front() == exponentType)
      return;
    op->setAttr(formatName, FormatAttr::get(&getContext(), format.getName(),
                                            format.getAxis(), format.getBlock(),
                                            exponentType, format.getZero()));
  }
};
} // namespace
