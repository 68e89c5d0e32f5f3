//===- ConvertStates.cpp - States kept as what is added to them -----------===//
//
// This changes what a program takes and gives, so it comes last of all that
// looks at samples.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/States.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

namespace qopt {
#define GEN_PASS_DEF_CONVERTSTATESPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
/// What is added to a state before it is made floats: codes, and one scale a
/// row, or elements of f16, and no scales.
struct Added {
  Value elements, scales;
  FormatAttr format;
};
} // namespace

static std::optional<Added> findAdded(ConcatOp append) {
  Operation *real = append.getInputs().back().getDefiningOp();
  if (auto cast = dyn_cast_or_null<CastOp>(real)) {
    if (!typeOf(cast.getX()).getElementType().isF16())
      return std::nullopt;
    return Added{cast.getX(), Value(), FormatAttr()};
  }
  auto dequantize = dyn_cast_or_null<DequantizeOp>(real);
  if (!dequantize || !dequantize.getZeros().empty() ||
      dequantize.getScales().size() != 1)
    return std::nullopt;
  auto rows = dequantize.getCodes().getDefiningOp<QuantizeDynamicOp>();
  if (!rows || rows.getPer() != Per::Row || rows.getFormat().isBlocked() ||
      !llvm::equal(rows.getScales(), dequantize.getScales()))
    return std::nullopt;
  return Added{rows.getCodes(), rows.getScales().front(), rows.getFormat()};
}

/// The names of what `main` takes and gives.
static llvm::StringSet<> collectNames(func::FuncOp main) {
  llvm::StringSet<> names;
  auto add = [&](DictionaryAttr attributes) {
    if (auto name = attributes ? attributes.getAs<StringAttr>(kNameAttrName)
                               : StringAttr())
      names.insert(name);
  };
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    add(main.getArgAttrDict(i));
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    add(main.getResultAttrDict(i));
  return names;
}

/// The attributes of the scales of an argument or result that has `attributes`;
/// `number` is that of their name.
static DictionaryAttr describeScales(DictionaryAttr attributes,
                                     unsigned number) {
  Builder b(attributes.getContext());
  NamedAttrList list(attributes);
  if (auto name = attributes.getAs<StringAttr>(kNameAttrName))
    list.set(kNameAttrName, b.getStringAttr(makeScaleName(name, number)));
  auto dims = attributes.getAs<ArrayAttr>(kDimsAttrName);
  if (dims && !dims.empty()) {
    SmallVector<Attribute> symbols(dims.getValue());
    symbols.back() = b.getStringAttr("");
    list.set(kDimsAttrName, b.getArrayAttr(symbols));
  }
  return list.getDictionary(attributes.getContext());
}

namespace {
struct ConvertStatesPass
    : qopt::impl::ConvertStatesPassBase<ConvertStatesPass> {
  void runOnOperation() override {
    unsigned count = getOperation().getNumArguments();
    for (unsigned i = 0; i < count; ++i) {
      ConcatOp append = findAppend(getOperation().getArgument(i));
      std::optional<Added> added =
          append ? findAdded(append) : std::optional<Added>();
      if (!added)
        continue;
      convert(append, *added);
      ++numConverted;
    }
    getOperation().setFunctionType(FunctionType::get(
        &getContext(), getOperation().getBody().getArgumentTypes(),
        getOperation().front().getTerminator()->getOperandTypes()));
  }

  void convert(ConcatOp append, Added added) {
    auto past = cast<BlockArgument>(append.getInputs().front());
    unsigned index = past.getArgNumber();
    auto state = getOperation().getArgAttrOfType<DenseI64ArrayAttr>(
        index, kStateAttrName);
    Operation *end = past.getOwner()->getTerminator();
    unsigned output = state[0], scaleOutput = end->getNumOperands();
    OpBuilder b(append);
    Location loc = append.getLoc();
    Type element = typeOf(added.elements).getElementType();
    RankedTensorType type = typeOf(append.getResult());
    past.setType(typeOf(past).clone(element));
    Value kept =
        ConcatOp::create(b, loc, type.clone(element),
                         ValueRange{past, added.elements}, append.getAxis());
    Value real;
    if (added.scales) {
      unsigned number = findScaleNumber(index, output);
      BlockArgument pastScales =
          addArgument(index, scaleOutput, state[1], number);
      Value scales = ConcatOp::create(b, loc, rowScaleTypeOf(type),
                                      ValueRange{pastScales, added.scales},
                                      append.getAxis());
      real = DequantizeOp::create(b, loc, type, kept, scales, ValueRange(),
                                  added.format);
      addResult(end, scales, output, number);
    } else {
      real = CastOp::create(b, loc, type, kept);
    }
    end->setOperand(output, kept);
    append.getResult().replaceUsesWithIf(
        kept, [](OpOperand &use) { return isa<ShapeOp>(use.getOwner()); });
    append.getResult().replaceAllUsesWith(real);
    append.erase();
  }

  /// The first whose names nothing has: what feeds what is told by names.
  unsigned findScaleNumber(unsigned index, unsigned output) {
    func::FuncOp main = getOperation();
    llvm::StringSet<> names = collectNames(main);
    auto isTaken = [&](StringAttr name, unsigned number) {
      return name && names.contains(makeScaleName(name, number));
    };
    auto past = main.getArgAttrOfType<StringAttr>(index, kNameAttrName);
    auto present = main.getResultAttrOfType<StringAttr>(output, kNameAttrName);
    unsigned number = 0;
    while (isTaken(past, number) || isTaken(present, number))
      ++number;
    return number;
  }

  /// An argument for the scales of the state that argument `index` is.
  BlockArgument addArgument(unsigned index, int64_t output, int64_t axis,
                            unsigned number) {
    func::FuncOp main = getOperation();
    unsigned last = main.getNumArguments();
    Builder b(&getContext());
    NamedAttrList list(describeScales(main.getArgAttrDict(index), number));
    list.set(kStateAttrName, b.getDenseI64ArrayAttr({output, axis}));
    BlockArgument past = main.getArgument(index);
    (void)main.insertArgument(last, rowScaleTypeOf(typeOf(past)),
                              list.getDictionary(&getContext()), past.getLoc());
    return main.getArgument(last);
  }

  /// A result for `scales`, those of result `output`.
  void addResult(Operation *end, Value scales, unsigned output,
                 unsigned number) {
    func::FuncOp main = getOperation();
    unsigned last = end->getNumOperands();
    end->insertOperands(last, scales);
    DictionaryAttr known = main.getResultAttrDict(output);
    (void)main.insertResult(
        last, scales.getType(),
        describeScales(known ? known : DictionaryAttr::get(&getContext()),
                       number));
  }
};
} // namespace
