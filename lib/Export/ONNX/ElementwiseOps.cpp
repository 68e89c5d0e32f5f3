//===- ElementwiseOps.cpp - Element-wise ops ------------------------------===//
//
// Most are one operator with the same operands.
//
//===----------------------------------------------------------------------===//

#include "Biases.h"
#include "OpForms.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

static bool isBool(Value value) { return elementTypeOf(value).isInteger(1); }

/// A sum, which may be that of a matrix product and its bias.
static void writeAdd(GraphWriter &writer, Operation *op, StringRef operation) {
  for (unsigned i : {0, 1}) {
    auto product = op->getOperand(i).getDefiningOp<MatMulOp>();
    if (!product || !product->hasOneUse())
      continue;
    std::string sum = writer.use(product.getResult());
    std::string bias =
        writeBias(writer, product, op->getOperand(1 - i), op->getResult(0));
    return writer.finish(operation, {sum, bias});
  }
  writeSame(writer, op, operation);
}

/// And, Or, Xor of booleans; on integers the operator has another name.
static void writeBits(GraphWriter &writer, Operation *op, StringRef operation) {
  std::string bitwise = ("Bitwise" + operation).str();
  writeSame(writer, op,
            isBool(op->getResult(0)) ? operation : StringRef(bitwise));
}

static void writeCast(GraphWriter &writer, Operation *op, StringRef operation) {
  Value x = op->getOperand(0), result = op->getResult(0);
  writer.getDataType(elementTypeOf(x));
  SmallVector<NodeAttribute> attributes{
      {"to", writer.getDataType(elementTypeOf(result))}};
  if (!cast<CastOp>(op).getSaturate())
    attributes.push_back({"saturate", int64_t(0)});
  writer.finish(operation, writer.use(x), attributes);
}

static void writeMod(GraphWriter &writer, Operation *op, StringRef operation) {
  bool truncates = cast<ModOp>(op).getTruncates();
  if (!truncates && isa<FloatType>(elementTypeOf(op->getResult(0))))
    writer.needOpset(28);
  if (!truncates)
    return writeSame(writer, op, operation);
  writer.finish(operation, useOperands(writer, op), {{"fmod", int64_t(1)}});
}

static void writeBitCast(GraphWriter &writer, Operation *op,
                         StringRef operation) {
  writer.needOpset(26);
  writer.finish(operation, writer.use(op->getOperand(0)),
                {{"to", writer.getDataType(elementTypeOf(op->getResult(0)))}});
}

/// x * sigmoid(x): the operator Swish needs a newer opset.
static void writeSilu(GraphWriter &writer, Operation *op, StringRef) {
  std::string x = writer.use(op->getOperand(0));
  writer.finish("Mul", {x, writer.add("Sigmoid", x)});
}

static void writeGelu(GraphWriter &writer, Operation *op, StringRef operation) {
  auto gelu = cast<GeluOp>(op);
  std::string form = gelu.getForm() == GeluForm::Tanh ? "tanh" : "none";
  writer.finish(operation, writer.use(gelu.getX()), {{"approximate", form}});
}

/// An f32 attribute.
static NodeAttribute getFloat(Operation *op, StringRef name) {
  return {name, op->getAttrOfType<FloatAttr>(name).getValue().convertToFloat()};
}

static void writeWithAlpha(GraphWriter &writer, Operation *op,
                           StringRef operation) {
  writer.finish(operation, writer.use(op->getOperand(0)),
                {getFloat(op, "alpha")});
}

static void writeHardSigmoid(GraphWriter &writer, Operation *op,
                             StringRef operation) {
  writer.finish(operation, writer.use(op->getOperand(0)),
                {getFloat(op, "alpha"), getFloat(op, "beta")});
}

/// Bounds are optional inputs; an empty name leaves one out.
static void writeClip(GraphWriter &writer, Operation *op, StringRef operation) {
  auto clip = cast<ClipOp>(op);
  SmallVector<std::string> inputs{writer.use(clip.getX()), ""};
  Type type = elementTypeOf(clip.getX());
  if (auto low = clip.getLow())
    inputs[1] = writer.addScalar(low->convertToFloat(), type);
  if (auto high = clip.getHigh())
    inputs.push_back(writer.addScalar(high->convertToFloat(), type));
  if (inputs.back().empty())
    inputs.pop_back();
  writer.finish(operation, inputs);
}

ArrayRef<OpForm> qopt::exporter::getElementwiseForms() {
  static constexpr OpForm rows[] = {
      {AbsOp::getOperationName(), "Abs", writeSame},
      {AddOp::getOperationName(), "Add", writeAdd},
      {AndOp::getOperationName(), "And", writeBits},
      {BitCastOp::getOperationName(), "BitCast", writeBitCast},
      {CastOp::getOperationName(), "Cast", writeCast},
      {CeilOp::getOperationName(), "Ceil", writeSame},
      {ClipOp::getOperationName(), "Clip", writeClip},
      {CosOp::getOperationName(), "Cos", writeSame},
      {DivOp::getOperationName(), "Div", writeSame},
      {EluOp::getOperationName(), "Elu", writeWithAlpha},
      {EqualOp::getOperationName(), "Equal", writeSame},
      {ErfOp::getOperationName(), "Erf", writeSame},
      {ExpOp::getOperationName(), "Exp", writeSame},
      {FloorOp::getOperationName(), "Floor", writeSame},
      {GeluOp::getOperationName(), "Gelu", writeGelu},
      {GreaterOp::getOperationName(), "Greater", writeSame},
      {GreaterOrEqualOp::getOperationName(), "GreaterOrEqual", writeSame},
      {HardSigmoidOp::getOperationName(), "HardSigmoid", writeHardSigmoid},
      {HardSwishOp::getOperationName(), "HardSwish", writeSame},
      {LeakyReluOp::getOperationName(), "LeakyRelu", writeWithAlpha},
      {LessOp::getOperationName(), "Less", writeSame},
      {LessOrEqualOp::getOperationName(), "LessOrEqual", writeSame},
      {LogOp::getOperationName(), "Log", writeSame},
      {MaxOp::getOperationName(), "Max", writeSame},
      {MinOp::getOperationName(), "Min", writeSame},
      {ModOp::getOperationName(), "Mod", writeMod},
      {MulOp::getOperationName(), "Mul", writeSame},
      {NegOp::getOperationName(), "Neg", writeSame},
      {NotOp::getOperationName(), "Not", writeSame},
      {OrOp::getOperationName(), "Or", writeBits},
      {PowOp::getOperationName(), "Pow", writeSame},
      {ReciprocalOp::getOperationName(), "Reciprocal", writeSame},
      {ReluOp::getOperationName(), "Relu", writeSame},
      {RoundOp::getOperationName(), "Round", writeSame},
      {SigmoidOp::getOperationName(), "Sigmoid", writeSame},
      {SiluOp::getOperationName(), "", writeSilu},
      {SinOp::getOperationName(), "Sin", writeSame},
      {SoftplusOp::getOperationName(), "Softplus", writeSame},
      {SqrtOp::getOperationName(), "Sqrt", writeSame},
      {SubOp::getOperationName(), "Sub", writeSame},
      {TanhOp::getOperationName(), "Tanh", writeSame},
      {WhereOp::getOperationName(), "Where", writeSame},
      {XorOp::getOperationName(), "Xor", writeBits},
  };
  return rows;
}
