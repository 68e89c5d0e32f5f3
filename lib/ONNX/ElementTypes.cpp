//===- ElementTypes.cpp - ONNX data types as MLIR types -------------------===//
//
// Strings and complex numbers have none.
//
//===----------------------------------------------------------------------===//

#include "ElementTypes.h"
#include "OnnxProto.h"
#include "dialects/QOpt/IR/ElementTypes.h"
#include "qopt/Support/ElementType.h"

using namespace mlir;
using namespace qopt;
using onnx::TensorProto;

StringRef qopt::getOnnxTypeName(int32_t dataType) {
  if (dataType == TensorProto::UNDEFINED ||
      !onnx::TensorProto_DataType_IsValid(dataType))
    return {};
  return onnx::TensorProto_DataType_Name(
      static_cast<onnx::TensorProto_DataType>(dataType));
}

/// The types that operators take from a later opset than 21 on.
static constexpr std::pair<TensorProto::DataType, int64_t> kOpsets[] = {
    {TensorProto::BFLOAT16, 22},   {TensorProto::FLOAT4E2M1, 23},
    {TensorProto::FLOAT8E8M0, 24}, {TensorProto::INT2, 25},
    {TensorProto::UINT2, 25},      {TensorProto::FLOAT6E2M3, 28},
    {TensorProto::FLOAT6E3M2, 28},
};

Type qopt::getOnnxElementType(MLIRContext *context, int32_t dataType) {
  // Their numbers are ONNX's.
  std::optional<ElementType> type = findElementType(dataType);
  return type ? findMLIRType(getName(*type), context) : Type();
}

std::optional<int32_t> qopt::findOnnxDataType(Type elementType) {
#define QOPT_COMPARE(enumerator, number, bytes, text)                          \
  if (findMLIRType(text, elementType.getContext()) == elementType)             \
    return number;
  QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_COMPARE)
#undef QOPT_COMPARE
  return std::nullopt;
}

int64_t qopt::getOpsetOf(int32_t dataType) {
  for (auto [type, opset] : kOpsets)
    if (type == dataType)
      return opset;
  return 21;
}
