//===- ElementTypes.cpp - ONNX data types as MLIR types -------------------===//
//
// FNUZ floats exist in MLIR, but no format of ours is made of them.
//
//===----------------------------------------------------------------------===//

#include "ElementTypes.h"
#include "OnnxProto.h"
#include "mlir/IR/BuiltinTypes.h"

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

Type qopt::getOnnxElementType(MLIRContext *context, int32_t dataType) {
  auto integer = [&](unsigned width) -> Type {
    return IntegerType::get(context, width);
  };
  auto unsignedInteger = [&](unsigned width) -> Type {
    return IntegerType::get(context, width, IntegerType::Unsigned);
  };
  switch (dataType) {
  case TensorProto::BOOL:
    return integer(1);
  case TensorProto::INT2:
    return integer(2);
  case TensorProto::INT4:
    return integer(4);
  case TensorProto::INT8:
    return integer(8);
  case TensorProto::INT16:
    return integer(16);
  case TensorProto::INT32:
    return integer(32);
  case TensorProto::INT64:
    return integer(64);
  case TensorProto::UINT2:
    return unsignedInteger(2);
  case TensorProto::UINT4:
    return unsignedInteger(4);
  case TensorProto::UINT8:
    return unsignedInteger(8);
  case TensorProto::UINT16:
    return unsignedInteger(16);
  case TensorProto::UINT32:
    return unsignedInteger(32);
  case TensorProto::UINT64:
    return unsignedInteger(64);
  case TensorProto::FLOAT:
    return Float32Type::get(context);
  case TensorProto::DOUBLE:
    return Float64Type::get(context);
  case TensorProto::FLOAT16:
    return Float16Type::get(context);
  case TensorProto::BFLOAT16:
    return BFloat16Type::get(context);
  case TensorProto::FLOAT8E4M3FN:
    return Float8E4M3FNType::get(context);
  case TensorProto::FLOAT8E5M2:
    return Float8E5M2Type::get(context);
  case TensorProto::FLOAT8E8M0:
    return Float8E8M0FNUType::get(context);
  case TensorProto::FLOAT6E2M3:
    return Float6E2M3FNType::get(context);
  case TensorProto::FLOAT6E3M2:
    return Float6E3M2FNType::get(context);
  case TensorProto::FLOAT4E2M1:
    return Float4E2M1FNType::get(context);
  default:
    return {};
  }
}

std::optional<int32_t> qopt::findOnnxDataType(Type elementType) {
  for (int32_t type = 0; type < onnx::TensorProto_DataType_DataType_ARRAYSIZE;
       ++type)
    if (getOnnxElementType(elementType.getContext(), type) == elementType)
      return type;
  return std::nullopt;
}

int64_t qopt::getOpsetOf(int32_t dataType) {
  switch (dataType) {
  case TensorProto::BFLOAT16:
    return 22;
  case TensorProto::FLOAT4E2M1:
    return 23;
  case TensorProto::FLOAT8E8M0:
    return 24;
  case TensorProto::INT2:
  case TensorProto::UINT2:
    return 25;
  case TensorProto::FLOAT6E2M3:
  case TensorProto::FLOAT6E3M2:
    return 28;
  default:
    return 21;
  }
}
