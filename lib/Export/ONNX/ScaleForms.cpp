//===- ScaleForms.cpp - Scales as ONNX has them ---------------------------===//
//
// Scales of blocks keep their type in the file, because there are many, and are
// cast. The few of a tensor or an axis are written as f32, so that the file
// needs no newer opset for them.
//
//===----------------------------------------------------------------------===//

#include "ScaleForms.h"
#include "dialects/QOpt/IR/Formats.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

void qopt::exporter::addBlocks(SmallVectorImpl<NodeAttribute> &attributes,
                               RankedTensorType codes, int64_t axis,
                               int64_t block) {
  bool isOne = codes.getRank() == 1 && !codes.isDynamicDim(0) &&
               codes.getDimSize(0) <= block;
  if (!isOne)
    attributes.append({{"axis", axis}, {"block_size", block}});
}

SmallVector<NodeAttribute>
ScaleForm::getAttributes(RankedTensorType codes) const {
  SmallVector<NodeAttribute> attributes;
  if (granularity == Granularity::Block)
    addBlocks(attributes, codes, axis, block);
  else if (granularity != Granularity::Tensor)
    attributes.push_back({"axis", axis});
  return attributes;
}

std::string qopt::exporter::multiplyByUnit(GraphWriter &writer, StringRef scale,
                                           FormatAttr format) {
  int unitLog2 = format ? lookupFormat(format.getName())->unitLog2 : 0;
  if (unitLog2 == 0)
    return scale.str();
  return writer.add(
      "Mul", {scale.str(), writer.addScalar(std::ldexp(1.0f, unitLog2))});
}

/// True for values that the graph has as f32, whatever our type of them is.
static bool isComputed(Value scale) {
  return scale.getDefiningOp<QuantizeDynamicOp>() != nullptr;
}

/// What the largest of the scales has on each axis.
static SmallVector<int64_t> getScaleDims(ValueRange scales, int64_t rank) {
  SmallVector<int64_t> dims(rank, 1);
  for (Value scale : scales)
    for (int64_t i = 0; i < rank; ++i)
      if (typeOf(scale).getDimSize(i) != 1)
        dims[i] = typeOf(scale).getDimSize(i);
  return dims;
}

/// Finds the granularity, axis and block of scales of `dims`.
static ScaleForm classify(RankedTensorType codes, ArrayRef<int64_t> dims,
                          FormatAttr format) {
  ScaleForm form;
  if (format && format.isBlocked()) {
    form.axis = format.getAxis();
    form.block = format.getBlockSize();
    form.granularity = Granularity::Block;
    for (auto [i, dim] : llvm::enumerate(codes.getShape())) {
      bool isAxis = static_cast<int64_t>(i) == form.axis;
      int64_t expected = isAxis && !ShapedType::isDynamic(dim)
                             ? llvm::divideCeil(dim, form.block)
                             : dim;
      bool isPossible = ShapedType::isDynamic(expected) && dims[i] != 1;
      if (dims[i] != expected && !isPossible)
        form.granularity = Granularity::Other;
    }
    return form;
  }
  int64_t rank = codes.getRank();
  SmallVector<int64_t> axes;
  for (int64_t i = 0; i < rank; ++i)
    if (dims[i] != 1)
      axes.push_back(i);
  if (axes.empty())
    return form;
  form.axis = axes.front();
  form.granularity = Granularity::Axis;
  if (axes.size() == 1 && dims[form.axis] == codes.getDimSize(form.axis))
    return form;
  // One scale a row is one for a block that is a whole row.
  form.axis = rank - 1;
  form.block = codes.getDimSize(form.axis);
  bool isOfRows = dims.back() == 1 && !ShapedType::isDynamic(form.block) &&
                  dims.drop_back() == codes.getShape().drop_back();
  form.granularity = isOfRows ? Granularity::Block : Granularity::Other;
  return form;
}

/// Dims of a scale or zero as `form` wants them.
static SmallVector<int64_t> getFormDims(const ScaleForm &form,
                                        ArrayRef<int64_t> dims) {
  switch (form.granularity) {
  case Granularity::Tensor:
    return {};
  case Granularity::Axis:
    return {dims[form.axis]};
  case Granularity::Block:
  case Granularity::Other:
    return SmallVector<int64_t>(dims);
  }
  llvm_unreachable("an unknown granularity");
}

/// One scale as f32 in the dims of `form`, or in dims that broadcast to them.
static std::string writeScale(GraphWriter &writer, Value scale,
                              const ScaleForm &form) {
  Type f32 = Float32Type::get(scale.getContext());
  bool isList = form.granularity == Granularity::Tensor ||
                form.granularity == Granularity::Axis;
  SmallVector<int64_t> dims = getFormDims(form, typeOf(scale).getShape());
  if (auto constant = scale.getDefiningOp<ConstantOp>(); constant && isList)
    return writer.addWithDims(constant, dims, /*asF32=*/true, "scale");
  std::string name = writer.use(scale, "scale");
  if (!isComputed(scale))
    name = writer.convert(name, elementTypeOf(scale), f32);
  if (isList) {
    SmallVector<int64_t> target(dims.size(), -1);
    name = writer.add("Reshape", {name, writer.addIntegers(target)});
  }
  return name;
}

static std::string writeZero(GraphWriter &writer, Value zero,
                             RankedTensorType codes, const ScaleForm &form,
                             ArrayRef<int64_t> scaleDims) {
  if (elementTypeOf(zero) != codes.getElementType()) {
    writer.fail("has zero points of " + toString(elementTypeOf(zero)) +
                " for codes of " + toString(codes.getElementType()) +
                ", which has no ONNX form");
    return {};
  }
  // ONNX wants as many zeros as scales.
  SmallVector<int64_t> dims = getFormDims(form, scaleDims);
  if (form.granularity == Granularity::Other)
    return writer.use(zero, "zero_point");
  bool isOne =
      typeOf(zero).hasStaticShape() && typeOf(zero).getNumElements() == 1;
  auto constant = zero.getDefiningOp<ConstantOp>();
  if (constant && (isOne || typeOf(zero).getShape() == scaleDims))
    return writer.addWithDims(constant, dims, /*asF32=*/false, "zero_point");
  writer.fail("has zero points of other dims than its scales, which has no "
              "ONNX form");
  return {};
}

bool qopt::exporter::hasValidAxis(FormatAttr format, int64_t rank) {
  return !format.isBlocked() ||
         (format.getAxis() >= 0 && format.getAxis() < rank);
}

ScaleForm qopt::exporter::writeScales(GraphWriter &writer,
                                      RankedTensorType codes, ValueRange scales,
                                      ValueRange zeros, FormatAttr format) {
  if ((format && !hasValidAxis(format, codes.getRank())) || zeros.size() > 1) {
    writer.fail("has blocks along no axis, or zero points of zero points");
    return {};
  }
  SmallVector<int64_t> dims = getScaleDims(scales, codes.getRank());
  ScaleForm form = classify(codes, dims, format);
  bool isBlocked = format && format.isBlocked();
  if (form.granularity == Granularity::Other && isBlocked) {
    writer.fail("has scales that several blocks share, which has no ONNX form");
    return form;
  }
  for (Value scale : scales) {
    std::string next = writeScale(writer, scale, form);
    form.scale =
        form.scale.empty() ? next : writer.add("Mul", {form.scale, next});
  }
  form.scale = multiplyByUnit(writer, form.scale, format);
  if (!zeros.empty())
    form.zero = writeZero(writer, zeros.front(), codes, form, dims);
  return form;
}
