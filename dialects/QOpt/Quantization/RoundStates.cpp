//===- RoundStates.cpp - What is added to states in codes -----------------===//
//
// Each row has a scale of its own, so what is there is never rounded again. The
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

/// `x`, each row rounded to codes of `format` and back.
static Value roundRows(OpBuilder &b, Location loc, Value x, FormatAttr format) {
  RankedTensorType type = typeOf(x);
  SmallVector<int64_t> scaleDims(type.getShape());
  scaleDims.back() = 1;
  Type types[] = {type.clone(format.getElementType()),
                  RankedTensorType::get(scaleDims, b.getF32Type())};
  auto codes = QuantizeDynamicOp::create(b, loc, types, x, format, Per::Row,
                                         ScaleRule::Floor);
  return DequantizeOp::create(b, loc, type, codes.getCodes(), codes.getScales(),
                              ValueRange(), format);
}

namespace {
struct RoundStatesPass : qopt::impl::RoundStatesPassBase<RoundStatesPass> {
  using RoundStatesPassBase::RoundStatesPassBase;

  void runOnOperation() override {
    if (format != "i8") {
      getOperation().emitError("expects states of i8, but found ") << format;
      return signalPassFailure();
    }
    auto codes = FormatAttr::get(&getContext(), format, /*axis=*/-1,
                                 /*block=*/0, Type(), Type());
    for (BlockArgument past : getOperation().getArguments()) {
      ConcatOp append = findAppend(past);
      if (!append || !hasRows(append))
        continue;
      OpBuilder b(append);
      OpOperand &added = append->getOpOperand(1);
      added.set(roundRows(b, append.getLoc(), added.get(), codes));
      ++numRounded;
    }
  }
};
} // namespace
