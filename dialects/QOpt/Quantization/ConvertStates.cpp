//===- ConvertStates.cpp - States kept as codes and scales ----------------===//
//
// This changes what a program takes and gives, so it comes last of all that
// looks at samples.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/States.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt {
#define GEN_PASS_DEF_CONVERTSTATESPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// What makes the codes that `append` adds, one scale a row; null where it adds
/// something else.
static QuantizeDynamicOp findRows(ConcatOp append) {
  auto real = append.getInputs().back().getDefiningOp<DequantizeOp>();
  if (!real || !real.getZeros().empty() || real.getScales().size() != 1)
    return {};
  auto rows = real.getCodes().getDefiningOp<QuantizeDynamicOp>();
  bool areRows = rows && rows.getPer() == Per::Row &&
                 rows.getScales().size() == 1 &&
                 rows.getScales().front() == real.getScales().front() &&
                 !rows.getFormat().isBlocked();
  return areRows ? rows : nullptr;
}

/// The attributes of the scales of an argument or result that has `attributes`.
static DictionaryAttr describeScales(DictionaryAttr attributes) {
  Builder b(attributes.getContext());
  NamedAttrList list(attributes);
  if (auto name = attributes.getAs<StringAttr>(kNameAttrName))
    list.set(kNameAttrName, b.getStringAttr(name.getValue() + ".scale"));
  auto dims = attributes.getAs<ArrayAttr>(kDimsAttrName);
  if (dims && !dims.empty()) {
    SmallVector<Attribute> symbols(dims.getValue());
    symbols.back() = b.getStringAttr("");
    list.set(kDimsAttrName, b.getArrayAttr(symbols));
  }
  return list.getDictionary(attributes.getContext());
}

static RankedTensorType scaleTypeOf(RankedTensorType codes) {
  SmallVector<int64_t> dims(codes.getShape());
  dims.back() = 1;
  return RankedTensorType::get(dims, Float32Type::get(codes.getContext()));
}

namespace {
struct ConvertStatesPass
    : qopt::impl::ConvertStatesPassBase<ConvertStatesPass> {
  void runOnOperation() override {
    unsigned count = getOperation().getNumArguments();
    for (unsigned i = 0; i < count; ++i) {
      ConcatOp append = findAppend(getOperation().getArgument(i));
      QuantizeDynamicOp rows = append ? findRows(append) : nullptr;
      if (!rows)
        continue;
      convert(append, rows);
      ++numConverted;
    }
  }

  void convert(ConcatOp append, QuantizeDynamicOp rows) {
    func::FuncOp main = getOperation();
    auto past = cast<BlockArgument>(append.getInputs().front());
    unsigned index = past.getArgNumber();
    auto state =
        main.getArgAttrOfType<DenseI64ArrayAttr>(index, kStateAttrName);
    Operation *end = past.getOwner()->getTerminator();
    unsigned output = state[0], scaleOutput = end->getNumOperands();

    past.setType(typeOf(past).clone(rows.getFormat().getElementType()));
    BlockArgument pastScales = addArgument(index, scaleOutput, state[1]);
    OpBuilder b(append);
    RankedTensorType type = typeOf(append.getResult());
    RankedTensorType codeType = type.clone(rows.getFormat().getElementType());
    Value codes =
        ConcatOp::create(b, append.getLoc(), codeType,
                         ValueRange{past, rows.getCodes()}, append.getAxis());
    Value scales = ConcatOp::create(
        b, append.getLoc(), scaleTypeOf(codeType),
        ValueRange{pastScales, rows.getScales().front()}, append.getAxis());
    Value real = DequantizeOp::create(b, append.getLoc(), type, codes, scales,
                                      ValueRange(), rows.getFormat());
    end->setOperand(output, codes);
    append.getResult().replaceUsesWithIf(
        codes, [](OpOperand &use) { return isa<ShapeOp>(use.getOwner()); });
    append.getResult().replaceAllUsesWith(real);
    addResult(end, scales, output);
    append.erase();
  }

  /// An argument for the scales of the state that argument `index` is.
  BlockArgument addArgument(unsigned index, int64_t output, int64_t axis) {
    func::FuncOp main = getOperation();
    unsigned last = main.getNumArguments();
    Builder b(&getContext());
    NamedAttrList list(describeScales(main.getArgAttrDict(index)));
    list.set(kStateAttrName, b.getDenseI64ArrayAttr({output, axis}));
    BlockArgument past = main.getArgument(index);
    (void)main.insertArgument(last, scaleTypeOf(typeOf(past)),
                              list.getDictionary(&getContext()), past.getLoc());
    return main.getArgument(last);
  }

  /// A result for `scales`, those of result `output`.
  void addResult(Operation *end, Value scales, unsigned output) {
    func::FuncOp main = getOperation();
    unsigned last = end->getNumOperands();
    end->insertOperands(last, scales);
    DictionaryAttr known = main.getResultAttrDict(output);
    (void)main.insertResult(
        last, scales.getType(),
        describeScales(known ? known : DictionaryAttr::get(&getContext())));
    main.setFunctionType(FunctionType::get(&getContext(),
                                           main.getBody().getArgumentTypes(),
                                           end->getOperandTypes()));
  }
};
} // namespace
