//===- QuantizationOps.cpp - QuantizeLinear, DequantizeLinear -------------===//
//
// QuantizeLinear divides by the scale where qopt.quantize multiplies by its
// reciprocal: of codes that lie next to the middle of a step some differ by 1.
//
// Codes of activations are written as uint8 and weights of products with zero
// points. ONNX Runtime 1.32 makes signed codes unsigned itself, and then
// refuses the QuantizeLinear that it put behind a moved DequantizeLinear; and
// it takes a product with a bias for integers only where weights have zero
// points.
//
//===----------------------------------------------------------------------===//

#include "DynamicQuantization.h"
#include "OpForms.h"
#include "ScaleForms.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

/// True for one scale and at most one zero for all codes, which is known.
template <class Op> static bool areOfTensor(Op op) {
  auto format = op->template getAttrOfType<FormatAttr>("format");
  return !(format && format.isBlocked()) &&
         llvm::all_of(op.getScales(), isOneElement) &&
         op.getZeros().size() <= 1 &&
         llvm::all_of(op.getZeros(), [](Value zero) {
           return isOneElement(zero) && zero.getDefiningOp<ConstantOp>() &&
                  elementTypeOf(zero).isSignlessInteger(8);
         });
}

/// True for signed bytes of an activation that nothing but dequantizers reads.
static bool areWrittenUnsigned(Value codes) {
  auto quantize = codes.getDefiningOp<QuantizeOp>();
  if (!quantize || !elementTypeOf(codes).isSignlessInteger(8) ||
      !areOfTensor(quantize))
    return false;
  return llvm::all_of(codes.getUses(), [](OpOperand &use) {
    auto dequantize = dyn_cast<DequantizeOp>(use.getOwner());
    return dequantize && use.getOperandNumber() == 0 && areOfTensor(dequantize);
  });
}

/// The zero point of such codes.
template <class Op>
static std::string writeUnsignedZero(GraphWriter &writer, Op op) {
  float zero = 128;
  for (Value signedZero : op.getZeros())
    zero += writer.readReals(signedZero.template getDefiningOp<ConstantOp>())
                .front();
  Type byte = IntegerType::get(op->getContext(), 8, IntegerType::Unsigned);
  return writer.addScalar(zero, byte);
}

static void writeQuantize(GraphWriter &writer, Operation *op,
                          StringRef operation) {
  auto quantize = cast<QuantizeOp>(op);
  RankedTensorType codes = typeOf(quantize.getResult());
  bool isUnsigned = areWrittenUnsigned(quantize.getResult());
  ScaleForm form = writeScales(writer, codes, quantize.getScales(),
                               isUnsigned ? ValueRange() : quantize.getZeros(),
                               quantize.getFormat());
  if (isUnsigned)
    form.zero = writeUnsignedZero(writer, quantize);
  if (form.granularity == Granularity::Other)
    return writer.fail("has scales along several axes, which has no ONNX form");
  Value x = quantize.getX();
  SmallVector<std::string> inputs{
      writer.convert(writer.use(x), elementTypeOf(x),
                     Float32Type::get(op->getContext())),
      form.scale};
  SmallVector<NodeAttribute> attributes = form.getAttributes(codes);
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

/// Zero points of 0 for the weight of a product; empty for other codes.
static std::string writeWeightZero(GraphWriter &writer, DequantizeOp op,
                                   const ScaleForm &form) {
  auto weight = op.getCodes().getDefiningOp<ConstantOp>();
  bool isOfProduct = llvm::any_of(op->getUsers(), [](Operation *user) {
    return isa<MatMulOp, GemmOp>(user);
  });
  if (!weight || !isOfProduct ||
      !elementTypeOf(op.getCodes()).isSignlessInteger(8))
    return {};
  SmallVector<int64_t> dims;
  if (form.granularity == Granularity::Axis)
    dims.push_back(typeOf(op.getCodes()).getDimSize(form.axis));
  else if (form.granularity != Granularity::Tensor)
    return {};
  HostTensor zeros =
      llvm::cantFail(HostTensor::allocate(ElementType::I8, dims));
  llvm::fill(zeros.asMutable<int8_t>(), 0);
  return writer.addTensor(weight, "zero_point", zeros);
}

static void writeDequantize(GraphWriter &writer, Operation *op,
                            StringRef operation) {
  auto dequantize = cast<DequantizeOp>(op);
  Value codes = dequantize.getCodes();
  bool isUnsigned = areWrittenUnsigned(codes);
  ScaleForm form =
      writeScales(writer, typeOf(codes), dequantize.getScales(),
                  isUnsigned ? ValueRange() : dequantize.getZeros(),
                  dequantize.getFormatAttr());
  if (isUnsigned)
    form.zero = writeUnsignedZero(writer, dequantize);
  else if (form.zero.empty())
    form.zero = writeWeightZero(writer, dequantize, form);
  Type f32 = Float32Type::get(op->getContext());
  Type type = elementTypeOf(dequantize.getResult());
  SmallVector<std::string> inputs;
  if (form.granularity != Granularity::Other)
    inputs = {writer.use(codes, "quantized"), form.scale};
  if (!inputs.empty() && !form.zero.empty())
    inputs.push_back(form.zero);
  if (!inputs.empty() && type == f32)
    return writer.finish(operation, inputs, form.getAttributes(typeOf(codes)));
  std::string reals =
      inputs.empty()
          ? writeProduct(writer, codes, form)
          : writer.add(operation, inputs, form.getAttributes(typeOf(codes)));
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
