//===- ElementTypes.cpp - ONNX data types as MLIR types -------------------===//
//
// Strings and complex numbers have none.
//
//===----------------------------------------------------------------------===//

#include "ElementTypes.h"
#include "OnnxProto.h"
#include "dialects/QOpt/IR/ElementTypes.h"
#include "llvm/ADT/STLExtras.h"

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

namespace {
struct DataType {
  TensorProto::DataType number;
  /// What qopt calls it.
  llvm::StringLiteral name;
  /// The first opset from 21 on in which operators take it.
  int64_t opset = 21;
};
} // namespace

static constexpr DataType kDataTypes[] = {
    {TensorProto::BOOL, "bool"},
    {TensorProto::INT2, "i2", 25},
    {TensorProto::INT4, "i4"},
    {TensorProto::INT8, "i8"},
    {TensorProto::INT16, "i16"},
    {TensorProto::INT32, "i32"},
    {TensorProto::INT64, "i64"},
    {TensorProto::UINT2, "u2", 25},
    {TensorProto::UINT4, "u4"},
    {TensorProto::UINT8, "u8"},
    {TensorProto::UINT16, "u16"},
    {TensorProto::UINT32, "u32"},
    {TensorProto::UINT64, "u64"},
    {TensorProto::FLOAT, "f32"},
    {TensorProto::DOUBLE, "f64"},
    {TensorProto::FLOAT16, "f16"},
    {TensorProto::BFLOAT16, "bf16", 22},
    {TensorProto::FLOAT8E4M3FN, "f8E4M3FN"},
    {TensorProto::FLOAT8E4M3FNUZ, "f8E4M3FNUZ"},
    {TensorProto::FLOAT8E5M2, "f8E5M2"},
    {TensorProto::FLOAT8E5M2FNUZ, "f8E5M2FNUZ"},
    {TensorProto::FLOAT8E8M0, "f8E8M0FNU", 24},
    {TensorProto::FLOAT6E2M3, "f6E2M3FN", 28},
    {TensorProto::FLOAT6E3M2, "f6E3M2FN", 28},
    {TensorProto::FLOAT4E2M1, "f4E2M1FN", 23},
};

static const DataType *findDataType(int32_t number) {
  auto row = llvm::find_if(
      kDataTypes, [&](const DataType &type) { return type.number == number; });
  return row == std::end(kDataTypes) ? nullptr : row;
}

Type qopt::getOnnxElementType(MLIRContext *context, int32_t dataType) {
  const DataType *row = findDataType(dataType);
  return row ? findMLIRType(row->name, context) : Type();
}

std::optional<int32_t> qopt::findOnnxDataType(Type elementType) {
  for (const DataType &row : kDataTypes)
    if (findMLIRType(row.name, elementType.getContext()) == elementType)
      return row.number;
  return std::nullopt;
}

int64_t qopt::getOpsetOf(int32_t dataType) {
  const DataType *row = findDataType(dataType);
  return row ? row->opset : 21;
}
