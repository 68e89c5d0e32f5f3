//===- ConstantValues.cpp - Making and reading qopt constants -------------===//
//
// Types that MLIR's attributes round or pack in another way than ONNX (E8M0,
// fewer than eight bits) are weights whatever their size.
//
//===----------------------------------------------------------------------===//

#include "ConstantValues.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static Value createConstant(OpBuilder &builder, Location loc, Attribute value,
                            RankedTensorType type) {
  return ConstantOp::create(builder, loc, type, value);
}

/// The elements attribute for a small tensor of a standard type, or null.
static DenseElementsAttr makeElements(const TensorData &data) {
  ArrayRef<uint8_t> bytes = data.getBytes();
  Type elementType = data.type.getElementType();
  if (bytes.size() > kMaxInlineBytes)
    return {};
  if (elementType.isInteger(1)) {
    SmallVector<bool> values(bytes.begin(), bytes.end());
    return DenseElementsAttr::get(data.type, values);
  }
  bool isStandard =
      isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(elementType) ||
      (isa<IntegerType>(elementType) && getPackedBitWidth(elementType) >= 8);
  if (!isStandard)
    return {};
  // The bytes of a mapped file lie anywhere; the attribute copies them.
  return DenseElementsAttr::getFromRawBuffer(
      data.type, {reinterpret_cast<const char *>(bytes.data()), bytes.size()});
}

Value qopt::importer::makeConstant(OpBuilder &builder, Location loc,
                                   TensorData data) {
  if (DenseElementsAttr elements = makeElements(data))
    return createConstant(builder, loc, elements, data.type);
  MLIRContext *context = builder.getContext();
  WeightStore &store =
      context->getLoadedDialect<QOptDialect>()->getWeightStore();
  const WeightBlob *blob =
      data.isMapped() ? store.addMapped(data.getBytes(), data.mapped.file,
                                        data.mapped.file->getPath(),
                                        data.mapped.offsetInBytes)
                      : store.addOwned(std::move(data.owned));
  return createConstant(builder, loc, WeightAttr::get(context, blob),
                        data.type);
}

static SmallVector<int64_t, 1> getVectorShape(size_t size, bool isScalar) {
  if (isScalar)
    return {};
  return {static_cast<int64_t>(size)};
}

Value qopt::importer::makeIntegers(OpBuilder &builder, Location loc,
                                   ArrayRef<int64_t> values, bool isScalar) {
  auto type = RankedTensorType::get(getVectorShape(values.size(), isScalar),
                                    builder.getI64Type());
  return createConstant(builder, loc, DenseElementsAttr::get(type, values),
                        type);
}

Value qopt::importer::makeFloats(OpBuilder &builder, Location loc,
                                 ArrayRef<float> values, bool isScalar) {
  auto type = RankedTensorType::get(getVectorShape(values.size(), isScalar),
                                    builder.getF32Type());
  return createConstant(builder, loc, DenseElementsAttr::get(type, values),
                        type);
}

Value qopt::importer::reshapeConstant(OpBuilder &builder, Value value,
                                      ArrayRef<int64_t> shape) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return {};
  auto type = cast<RankedTensorType>(value.getType()).clone(shape);
  Attribute attribute = constant.getValue();
  if (auto elements = dyn_cast<DenseElementsAttr>(attribute))
    attribute = elements.reshape(type);
  return createConstant(builder, constant.getLoc(), attribute,
                        cast<RankedTensorType>(type));
}

/// The number that the bytes of an element stand for.
static double readFloat(ArrayRef<uint8_t> bytes, FloatType type) {
  uint64_t bits = 0;
  memcpy(&bits, bytes.data(), bytes.size());
  APFloat number(type.getFloatSemantics(), APInt(type.getWidth(), bits));
  bool losesInfo;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToDouble();
}

std::optional<SmallVector<double>>
qopt::importer::getConstantFloats(Value value) {
  auto type = dyn_cast<FloatType>(getElementTypeOrSelf(value));
  SmallVector<uint8_t> storage;
  auto bytes = getConstantBytes(value, storage);
  if (!type || type.getWidth() % 8 != 0 || !bytes)
    return std::nullopt;
  size_t size = type.getWidth() / 8;
  SmallVector<double> numbers;
  numbers.reserve(bytes->size() / size);
  for (size_t at = 0; at < bytes->size(); at += size)
    numbers.push_back(readFloat(bytes->slice(at, size), type));
  return numbers;
}

std::optional<double> qopt::importer::getConstantFloat(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() != 1)
    return std::nullopt;
  auto numbers = getConstantFloats(value);
  return numbers ? std::optional(numbers->front()) : std::nullopt;
}

std::optional<ArrayRef<uint8_t>>
qopt::importer::getConstantBytes(Value value,
                                 SmallVectorImpl<uint8_t> &storage) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return std::nullopt;
  if (auto weight = dyn_cast<WeightAttr>(constant.getValue()))
    return weight.getBlob()->bytes;
  auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
  if (!elements)
    return std::nullopt;
  ArrayRef<char> raw = elements.getRawData();
  ArrayRef bytes(reinterpret_cast<const uint8_t *>(raw.data()), raw.size());
  if (!elements.isSplat())
    return bytes;
  storage.clear();
  for (int64_t i = 0, count = elements.getNumElements(); i < count; ++i)
    storage.append(bytes.begin(), bytes.end());
  return storage;
}

bool qopt::importer::isConstantZero(Value value) {
  SmallVector<uint8_t> storage;
  auto bytes = getConstantBytes(value, storage);
  return bytes && llvm::all_of(*bytes, [](uint8_t byte) { return byte == 0; });
}
