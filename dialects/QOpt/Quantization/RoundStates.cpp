//===- RoundStates.cpp - What is added to states with fewer bits ----------===//
//
// Codes have a scale a row, so what is there is never rounded again. The
// program still takes and gives floats: samples and other passes see what they
// know, and `qopt-convert-states` changes what is kept.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/States.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"

namespace qopt {
#define GEN_PASS_DEF_ROUNDSTATESPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Whether the state that `append` makes has whole rows of floats.
static bool hasRows(ConcatOp append) {
  RankedTensorType type = typeOf(append.getResult());
  return type.getElementType().isF32() &&
         static_cast<int64_t>(append.getAxis()) != type.getRank() - 1;
}

/// `x` rounded to f16 and back.
static Value roundElements(OpBuilder &b, Location loc, Value x) {
  RankedTensorType type = typeOf(x);
  Value half = CastOp::create(b, loc, type.clone(b.getF16Type()), x);
  return CastOp::create(b, loc, type, half);
}

/// `x`, each row rounded to codes of `format` and back.
static Value roundRows(OpBuilder &b, Location loc, Value x, StringRef format) {
  auto codesFormat = FormatAttr::get(b.getContext(), format, /*axis=*/-1,
                                     /*block=*/0, Type(), Type());
  RankedTensorType type = typeOf(x);
  Type types[] = {type.clone(codesFormat.getElementType()),
                  rowScaleTypeOf(type)};
  auto codes = QuantizeDynamicOp::create(b, loc, types, x, codesFormat,
                                         Per::Row, ScaleRule::Floor);
  return DequantizeOp::create(b, loc, type, codes.getCodes(), codes.getScales(),
                              ValueRange(), codesFormat);
}

namespace {
struct RoundStatesPass : qopt::impl::RoundStatesPassBase<RoundStatesPass> {
  using RoundStatesPassBase::RoundStatesPassBase;

  void runOnOperation() override {
    if (format != "i8" && format != "f16") {
      getOperation().emitError("expects states of i8 or f16, but found ")
          << format;
      return signalPassFailure();
    }
    for (BlockArgument past : getOperation().getArguments()) {
      ConcatOp append = findAppend(past);
      if (!append || !hasRows(append))
        continue;
      OpBuilder b(append);
      OpOperand &added = append->getOpOperand(1);
      Value x = added.get();
      added.set(format == "f16" ? roundElements(b, append.getLoc(), x)
                                : roundRows(b, append.getLoc(), x, format));
      ++numRounded;
    }
  }
};
} // namespace
