//===- Tensors.cpp - Constants becoming initializers ----------------------===//
//
// Weights are packed as ONNX packs raw data, so their bytes are copied.
//
//===----------------------------------------------------------------------===//

#include "GraphWriter.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

static StringRef bytesOf(const HostTensor &tensor) {
  return {tensor.getData(), static_cast<size_t>(tensor.getSizeInBytes())};
}

/// The elements of a tensor as ONNX packs raw data.
static std::string pack(const HostTensor &tensor, Type elementType) {
  unsigned bits = getPackedBitWidth(elementType);
  if (bits >= 8)
    return bytesOf(tensor).str();
  std::vector<uint8_t> packed(packedSizeInBytes(tensor.getNumElements(), bits));
  packCodes(tensor.as<uint8_t>(), bits, packed);
  return std::string(packed.begin(), packed.end());
}

static void setTensor(onnx::TensorProto &tensor, int64_t dataType,
                      ArrayRef<int64_t> dims, StringRef bytes) {
  tensor.set_data_type(static_cast<int32_t>(dataType));
  for (int64_t dim : dims)
    tensor.add_dims(dim);
  tensor.set_raw_data(bytes.data(), bytes.size());
}

std::string GraphWriter::addInitializer(StringRef name, Type elementType,
                                        ArrayRef<int64_t> dims,
                                        StringRef bytes) {
  sizeInBytes += bytes.size();
  if (sizeInBytes > maxSizeInBytes) {
    fail("needs more constants than the " + Twine(maxSizeInBytes) +
             " bytes that one ONNX file can hold",
         "take a preset with fewer bits for the weights");
    return {};
  }
  onnx::TensorProto &tensor = *graph.add_initializer();
  tensor.set_name(name.str());
  setTensor(tensor, getDataType(elementType), dims, bytes);
  return name.str();
}

std::optional<HostTensor> GraphWriter::read(ConstantOp constant) {
  llvm::Expected<HostTensor> tensor = readConstant(constant);
  if (tensor)
    return std::move(*tensor);
  fail(llvm::toString(tensor.takeError()));
  return std::nullopt;
}

std::string GraphWriter::writeConstant(ConstantOp constant, StringRef role) {
  RankedTensorType type = typeOf(constant.getResult());
  std::string name = nameConstant(constant, role);
  if (auto weight = dyn_cast<WeightAttr>(constant.getValue()))
    return addInitializer(name, type.getElementType(), type.getShape(),
                          llvm::toStringRef(weight.getBlob()->bytes));
  std::optional<HostTensor> tensor = read(constant);
  if (!tensor)
    return {};
  return addInitializer(name, type.getElementType(), type.getShape(),
                        pack(*tensor, type.getElementType()));
}

void GraphWriter::setTensorAttribute(StringRef name, ElementsAttr elements) {
  llvm::Expected<HostTensor> tensor = readElements(elements);
  if (!tensor) {
    fail(llvm::toString(tensor.takeError()));
    return;
  }
  onnx::AttributeProto &attribute =
      *graph.mutable_node(graph.node_size() - 1)->add_attribute();
  attribute.set_name(name.str());
  attribute.set_type(onnx::AttributeProto::TENSOR);
  Type elementType = elements.getElementType();
  setTensor(*attribute.mutable_t(), getDataType(elementType), tensor->getDims(),
            pack(*tensor, elementType));
}

//===----------------------------------------------------------------------===//
// Small tensors
//===----------------------------------------------------------------------===//

std::string GraphWriter::addLiteral(StringRef name, const HostTensor &tensor,
                                    Type elementType) {
  std::string bytes = pack(tensor, elementType);
  std::string &known =
      literals[{getDataType(elementType),
                {tensor.getDims().begin(), tensor.getDims().end()},
                bytes}];
  if (known.empty())
    known = addInitializer(makeUnique(takenNames, name), elementType,
                           tensor.getDims(), bytes);
  return known;
}

/// A tensor of `dims`; what a few elements need is always there.
static HostTensor makeTensor(ElementType type, ArrayRef<int64_t> dims) {
  return llvm::cantFail(HostTensor::allocate(type, dims));
}

std::string GraphWriter::addIntegers(ArrayRef<int64_t> values, unsigned width) {
  HostTensor tensor =
      makeTensor(width == 64 ? ElementType::I64 : ElementType::I32,
                 {static_cast<int64_t>(values.size())});
  if (width == 64)
    llvm::copy(values, tensor.asMutable<int64_t>().begin());
  else
    llvm::copy(values, tensor.asMutable<int32_t>().begin());
  return addLiteral("integers", tensor,
                    IntegerType::get(module.getContext(), width));
}

std::string GraphWriter::addScalar(float value, Type elementType) {
  std::optional<ElementFormat> format =
      elementType ? elementFormatOf(elementType) : ElementFormat::F32;
  if (!format) {
    fail("has a constant of " + toString(elementType) +
         ", which has no ONNX form here");
    return {};
  }
  Type type = typeOf(*format, module.getContext());
  HostTensor tensor = makeTensor(*getHostElementType(type), {});
  uint32_t code = encode(value, *format);
  std::memcpy(tensor.getMutableData(), &code, tensor.getSizeInBytes());
  return addLiteral("scalar", tensor, type);
}

std::string GraphWriter::addMatrix(ArrayRef<float> values, int64_t rows) {
  int64_t columns = static_cast<int64_t>(values.size()) / rows;
  HostTensor tensor = makeTensor(ElementType::F32, {rows, columns});
  llvm::copy(values, tensor.asMutable<float>().begin());
  return addLiteral("matrix", tensor, Float32Type::get(module.getContext()));
}

//===----------------------------------------------------------------------===//
// Constants in another form
//===----------------------------------------------------------------------===//

/// Each element as f32, exactly.
static HostTensor decodeTensor(const HostTensor &tensor, ElementFormat format) {
  HostTensor result = makeTensor(ElementType::F32, tensor.getDims());
  unsigned bytes = getBytesPerElement(tensor.getType());
  for (auto [i, value] : llvm::enumerate(result.asMutable<float>())) {
    uint32_t code = 0;
    std::memcpy(&code, tensor.getData() + i * bytes, bytes);
    value = decode(code, format);
  }
  return result;
}

SmallVector<float> GraphWriter::readReals(ConstantOp constant) {
  std::optional<ElementFormat> format =
      elementFormatOf(elementTypeOf(constant.getResult()));
  std::optional<HostTensor> tensor = read(constant);
  if (!format || !tensor)
    return {};
  return llvm::to_vector(decodeTensor(*tensor, *format).as<float>());
}

std::string GraphWriter::addTensor(ConstantOp constant, StringRef role,
                                   const HostTensor &tensor) {
  Type elementType = getMLIRElementType(tensor.getType(), module.getContext());
  return addInitializer(nameConstant(constant, role), elementType,
                        tensor.getDims(), pack(tensor, elementType));
}

/// `tensor` with other dims; its only element is repeated.
static HostTensor withDims(const HostTensor &tensor, ArrayRef<int64_t> dims) {
  HostTensor result = makeTensor(tensor.getType(), dims);
  if (result.getNumElements() == tensor.getNumElements())
    return tensor.reshape(dims);
  unsigned bytes = getBytesPerElement(tensor.getType());
  for (int64_t i = 0; i < result.getNumElements(); ++i)
    std::memcpy(result.getMutableData() + i * bytes, tensor.getData(), bytes);
  return result;
}

std::string GraphWriter::addWithDims(ConstantOp constant,
                                     ArrayRef<int64_t> dims, bool asF32,
                                     StringRef role) {
  std::string &known = reshaped[{constant.getResult().getAsOpaquePointer(),
                                 {dims.begin(), dims.end()},
                                 asF32}];
  if (!known.empty())
    return known;
  std::optional<HostTensor> tensor = read(constant);
  if (!tensor)
    return {};
  Type elementType = elementTypeOf(constant.getResult());
  if (asF32) {
    std::optional<ElementFormat> format = elementFormatOf(elementType);
    if (!format) {
      fail("has scales of " + toString(elementType) +
           ", which have no ONNX form");
      return {};
    }
    tensor = decodeTensor(*tensor, *format);
    elementType = Float32Type::get(module.getContext());
  }
  return known = addInitializer(nameConstant(constant, role), elementType, dims,
                                pack(withDims(*tensor, dims), elementType));
}
