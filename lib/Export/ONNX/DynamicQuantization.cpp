//===- DynamicQuantization.cpp - Scales made from the data ----------------===//
//
// A row's reciprocal is made from its largest magnitude, not from its scale, so
// codes come from a product: QuantizeLinear would divide. Exponents of blocks
// are found by casts to float8e8m0, which are exact: a logarithm is not.
//
//===----------------------------------------------------------------------===//

#include "DynamicQuantization.h"
#include "ScaleForms.h"
#include "dialects/QOpt/IR/Formats.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

namespace {
/// What all formulas need. Arguments of a call make one node at most: their
/// order is the host compiler's, and the file is the same everywhere.
class DynamicQuantizer {
public:
  DynamicQuantizer(GraphWriter &writer, QuantizeDynamicOp op)
      : writer(writer), op(op), format(*lookupFormat(op.getFormat().getName())),
        type(typeOf(op.getX())), f32(Float32Type::get(op.getContext())),
        x(writer.convert(writer.use(op.getX()), type.getElementType(), f32)) {}

  void writeRows();
  void writeSharedExponents();
  void writeNvfp4();

private:
  std::string number(float value) { return writer.addScalar(value); }
  std::string binary(StringRef operation, StringRef a, StringRef b) {
    return writer.add(operation, {a.str(), b.str()});
  }
  std::string choose(StringRef condition, StringRef yes, StringRef no) {
    return writer.add("Where", {condition.str(), yes.str(), no.str()});
  }
  std::string reduce(StringRef operation, StringRef from,
                     ArrayRef<int64_t> axes, bool keepDims) {
    return writer.add(operation, {from.str(), writer.addIntegers(axes)},
                      {{"keepdims", static_cast<int64_t>(keepDims)}});
  }
  void splitIntoBlocks();
  std::string findLargestOfRows();
  std::string transpose(StringRef from, bool isBack);
  std::string putScalesInPlace(StringRef scale);
  std::string findExponents(StringRef amax);
  std::string castThrough(StringRef value, Type type);
  void writeBlockCodes(StringRef step);

  GraphWriter &writer;
  QuantizeDynamicOp op;
  const BlockFormat &format;
  RankedTensorType type;
  Type f32;
  std::string x;
  /// Largest magnitude of each block, and 0, or NaN where the block has a NaN
  /// or infinity. The block's axis is the last one.
  std::string blockMax, poison;
};
} // namespace

/// The largest magnitude of each row or sample; the axes stay.
std::string DynamicQuantizer::findLargestOfRows() {
  int64_t rank = type.getRank();
  SmallVector<int64_t> axes{rank - 1};
  if (op.getPer() == Per::Sample)
    axes = llvm::to_vector(llvm::seq<int64_t>(1, rank));
  return reduce("ReduceMax", writer.add("Abs", x), axes, true);
}

//===----------------------------------------------------------------------===//
// Integers, one scale a row or a sample
//===----------------------------------------------------------------------===//

void DynamicQuantizer::writeRows() {
  const ElementFormatInfo &info = format.elementInfo();
  std::string one = number(1), largest = number(info.symmetricMax);
  std::string max = findLargestOfRows();
  std::string isZero = binary("Equal", max, number(0));
  max = binary("Max", max, number(0x1p-100f));
  std::string scale = choose(isZero, one, binary("Div", max, largest));
  std::string inverse = choose(isZero, one, binary("Div", largest, max));
  std::string codes = writer.add("Round", binary("Mul", x, inverse));
  codes = writer.add("Clip", {codes, number(info.symmetricMin), largest});
  writer.setName(op.getScales().front(), scale);
  writer.finish(op.getCodes(), "Cast", codes,
                {{"to", writer.getDataType(elementTypeOf(op.getCodes()))}});
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// Brings the axis of the blocks to the end, or back.
std::string DynamicQuantizer::transpose(StringRef from, bool isBack) {
  int64_t axis = op.getFormat().getAxis(), rank = type.getRank();
  if (axis == rank - 1)
    return from.str();
  auto perm = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (isBack)
    std::rotate(perm.begin() + axis, perm.end() - 1, perm.end());
  else
    std::rotate(perm.begin() + axis, perm.begin() + axis + 1, perm.end());
  return writer.add("Transpose", from.str(), {{"perm", perm}});
}

void DynamicQuantizer::splitIntoBlocks() {
  int64_t rank = type.getRank();
  int64_t size = type.getDimSize(op.getFormat().getAxis());
  int64_t block = op.getFormat().getBlockSize();
  int64_t numBlocks = llvm::divideCeil(size, block);
  std::string blocks = transpose(x, false);
  if (size % block != 0) {
    SmallVector<int64_t> pads(2 * rank, 0);
    pads.back() = numBlocks * block - size;
    blocks = binary("Pad", blocks, writer.addIntegers(pads));
  }
  // 0 copies a dim, which may be known at run time only.
  SmallVector<int64_t> dims(rank + 1, 0);
  dims[rank - 1] = numBlocks;
  dims[rank] = block;
  blocks = binary("Reshape", blocks, writer.addIntegers(dims));
  blockMax = reduce("ReduceMax", writer.add("Abs", blocks), {-1}, false);
  poison = reduce("ReduceSum", binary("Mul", blocks, number(0)), {-1}, false);
}

std::string DynamicQuantizer::putScalesInPlace(StringRef scale) {
  return transpose(binary("Add", scale, poison), true);
}

/// Rounds to `type` and back.
std::string DynamicQuantizer::castThrough(StringRef value, Type type) {
  return writer.convert(writer.convert(value, f32, type), type, f32);
}

/// The scale of blocks whose largest magnitude is `amax`, a power of two.
std::string DynamicQuantizer::findExponents(StringRef amax) {
  const ElementFormatInfo &info = format.elementInfo();
  // The cast rounds up. What it cannot hold is limited below.
  std::string above =
      castThrough(amax, Float8E8M0FNUType::get(op.getContext()));
  std::string isAbove = binary("Greater", above, amax);
  std::string half = binary("Mul", above, number(0.5f));
  std::string base = choose(isAbove, half, above);
  std::string carry;
  if (op.getRule() == ScaleRule::Ceil)
    carry =
        binary("Greater", amax,
               binary("Mul", base, number(std::scalbn(info.max, -info.emax))));
  else if (op.getRule() == ScaleRule::Even)
    carry = binary(
        "GreaterOrEqual", amax,
        binary(
            "Mul", base,
            number(2 - std::ldexp(1.0f, -1 - int(format.significandBits())))));
  std::string scale =
      binary("Mul", base, number(std::ldexp(1.0f, -format.emax())));
  if (!carry.empty())
    scale = choose(carry, binary("Mul", scale, number(2)), scale);
  scale = binary("Max", scale, number(0x1p-127f));
  return carry.empty() ? scale : binary("Min", scale, number(0x1p127f));
}

/// Codes of x / step, rounded and saturated.
void DynamicQuantizer::writeBlockCodes(StringRef step) {
  Type element = elementTypeOf(op.getCodes());
  SmallVector<NodeAttribute> attributes{
      {"output_dtype", writer.getDataType(element)}};
  addBlocks(attributes, typeOf(op.getCodes()), op.getFormat().getAxis(),
            op.getFormat().getBlockSize());
  if (isa<FloatType>(element))
    return writer.finish(op.getCodes(), "QuantizeLinear", {x, step.str()},
                         attributes);
  // The grid is symmetric: it has no -128.
  const ElementFormatInfo &info = format.elementInfo();
  std::string codes = writer.add("QuantizeLinear", {x, step.str()}, attributes);
  writer.finish(op.getCodes(), "Clip",
                {codes, writer.addScalar(info.symmetricMin, element),
                 writer.addScalar(info.symmetricMax, element)});
}

void DynamicQuantizer::writeSharedExponents() {
  splitIntoBlocks();
  std::string scale = putScalesInPlace(findExponents(blockMax));
  writer.setName(op.getScales().front(), scale);
  writeBlockCodes(multiplyByUnit(writer, scale, op.getFormat()));
}

void DynamicQuantizer::writeNvfp4() {
  splitIntoBlocks();
  float largestScale = infoOf(ElementFormat::F8E4M3FN).max;
  float largestElement = format.elementInfo().max;
  std::string max = findLargestOfRows();
  std::string infinity = number(std::numeric_limits<float>::infinity());
  std::string isPositive = binary("Greater", max, number(0));
  std::string isFinite = binary("Less", max, infinity);
  std::string isUsable = binary("And", isPositive, isFinite);
  std::string encode =
      binary("Div", number(largestScale * largestElement), max);
  encode = binary("Min", encode, number(0x1p126f));
  encode = choose(isUsable, encode, number(1));
  std::string raw = binary("Div", blockMax, number(largestElement));
  raw = binary("Mul", raw, encode);
  raw = binary("Min", raw, number(largestScale));
  std::string scale = putScalesInPlace(
      castThrough(raw, Float8E4M3FNType::get(op.getContext())));
  writer.setName(op.getScales()[0], scale);
  writer.setName(op.getScales()[1], binary("Div", number(1), encode));
  // A block whose scale is 0 has codes of any kind: nothing divides by it.
  std::string step = binary("Div", scale, encode);
  std::string isZero = binary("Equal", step, number(0));
  writeBlockCodes(choose(isZero, number(1), step));
}

/// Only dequantizers know that the scales are f32 here.
static bool isReadByDequantizersOnly(QuantizeDynamicOp op) {
  for (Value scale : op.getScales())
    for (OpOperand &use : scale.getUses())
      if (!isa<DequantizeOp>(use.getOwner()) || use.getOperandNumber() == 0)
        return false;
  return true;
}

void qopt::exporter::writeQuantizeDynamic(GraphWriter &writer, Operation *op,
                                          StringRef) {
  auto quantize = cast<QuantizeDynamicOp>(op);
  FormatAttr format = quantize.getFormat();
  if (!isReadByDequantizersOnly(quantize))
    return writer.fail(
        "has scales that other ops read, which has no ONNX form");
  bool isBlocked = format.isBlocked();
  auto type = typeOf(quantize.getX());
  if (type.getRank() == 0 || !hasValidAxis(format, type.getRank()))
    return writer.fail("expects an axis for its rows or blocks");
  if (isBlocked && type.isDynamicDim(format.getAxis()))
    return writer.fail(
        "makes blocks of " + format.getName() +
            " along a dim of unknown size, which has no ONNX form",
        "fix the dim in the model, or take the preset with '-a16'");
  const BlockFormat &row = *lookupFormat(format.getName());
  DynamicQuantizer quantizer(writer, quantize);
  if (isBlocked && row.hasSharedExponent())
    quantizer.writeSharedExponents();
  else if (isBlocked && row.scales.size() == 2)
    quantizer.writeNvfp4();
  else if (!isBlocked && row.elementInfo().isInteger())
    quantizer.writeRows();
  else
    writer.fail("has no formula for " + format.getName());
}
