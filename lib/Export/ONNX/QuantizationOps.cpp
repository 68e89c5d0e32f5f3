//===- QuantizationOps.cpp - QuantizeLinear, DequantizeLinear -------------===//
//
// QuantizeLinear divides by the scale where qopt.quantize multiplies by its
// reciprocal: of codes that lie next to the middle of a step some differ by 1.
//
//===----------------------------------------------------------------------===//

#include "DynamicQuantization.h"
#include "OpForms.h"
#include "ScaleForms.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

static void writeQuantize(GraphWriter &writer, Operation *op,
                          StringRef operation) {
  auto quantize = cast<QuantizeOp>(op);
  RankedTensorType codes = typeOf(quantize.getResult());
  ScaleForm form = writeScales(writer, codes, quantize.getScales(),
                               quantize.getZeros(), quantize.getFormat());
  if (form.granularity == Granularity::Other)
    return writer.fail("has scales along several axes, which has no ONNX form");
  Value x = quantize.getX();
  SmallVector<std::string> inputs{
      writer.convert(writer.use(x), elementTypeOf(x),
                     Float32Type::get(op->getContext())),
      form.scale};
  SmallVector<NodeAttribute> attributes = form.getAttributes();
  if (!form.zero.empty())
    inputs.push_back(form.zero);
  else
    attributes.push_back(
        {"output_dtype", writer.getDataType(codes.getElementType())});
  if (!quantize.getSaturate())
    attributes.push_back({"saturate", int64_t(0)});
  writer.finish(operation, inputs, attributes);
}

/// (code - zero) * scale, where DequantizeLinear has no such scales.
static std::string writeProduct(GraphWriter &writer, Value codes,
                                const ScaleForm &form) {
  Type f32 = Float32Type::get(codes.getContext());
  std::string reals =
      writer.convert(writer.use(codes), elementTypeOf(codes), f32);
  if (!form.zero.empty())
    reals = writer.add(
        "Sub", {reals, writer.convert(form.zero, elementTypeOf(codes), f32)});
  return writer.add("Mul", {reals, form.scale});
}

static void writeDequantize(GraphWriter &writer, Operation *op,
                            StringRef operation) {
  auto dequantize = cast<DequantizeOp>(op);
  Value codes = dequantize.getCodes();
  ScaleForm form =
      writeScales(writer, typeOf(codes), dequantize.getScales(),
                  dequantize.getZeros(), dequantize.getFormatAttr());
  Type f32 = Float32Type::get(op->getContext());
  Type type = elementTypeOf(dequantize.getResult());
  SmallVector<std::string> inputs;
  if (form.granularity != Granularity::Other)
    inputs = {writer.use(codes, "quantized"), form.scale};
  if (!inputs.empty() && !form.zero.empty())
    inputs.push_back(form.zero);
  if (!inputs.empty() && type == f32)
    return writer.finish(operation, inputs, form.getAttributes());
  std::string reals = inputs.empty()
                          ? writeProduct(writer, codes, form)
                          : writer.add(operation, inputs, form.getAttributes());
  writer.setName(dequantize.getResult(), writer.convert(reals, f32, type));
}

ArrayRef<OpForm> qopt::exporter::getQuantizationForms() {
  static constexpr OpForm rows[] = {
      {DequantizeOp::getOperationName(), "DequantizeLinear", writeDequantize},
      {QuantizeDynamicOp::getOperationName(), "", writeQuantizeDynamic},
      {QuantizeOp::getOperationName(), "QuantizeLinear", writeQuantize},
  };
  return rows;
}
