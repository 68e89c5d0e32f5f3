//===- ConstantBuilder.cpp - Constants made by a pass ---------------------===//
//
// All go through host tensors, so sub-byte codes are packed in one place.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/HostConstants.h"

using namespace mlir;
using namespace qopt;

Value qopt::createConstant(OpBuilder &builder, Location loc,
                           const HostTensor &tensor, Type elementType) {
  return ConstantOp::create(
      builder, loc, RankedTensorType::get(tensor.getDims(), elementType),
      makeConstantValue(tensor, builder.getContext()));
}

Value qopt::createConstant(OpBuilder &builder, Location loc,
                           ArrayRef<float> values, ArrayRef<int64_t> dims) {
  HostTensor tensor =
      llvm::cantFail(HostTensor::allocate(ElementType::F32, dims));
  llvm::copy(values, tensor.asMutable<float>().begin());
  return createConstant(builder, loc, tensor, builder.getF32Type());
}

Value qopt::createConstant(OpBuilder &builder, Location loc,
                           ArrayRef<int64_t> values, ArrayRef<int64_t> dims,
                           Type elementType) {
  ElementType type = *getHostElementType(elementType);
  HostTensor tensor = llvm::cantFail(HostTensor::allocate(type, dims));
  unsigned width = getBytesPerElement(type);
  unsigned bits = getPackedBitWidth(elementType);
  for (auto [i, value] : llvm::enumerate(values)) {
    int64_t code = bits < 8 ? value & ((1 << bits) - 1) : value;
    std::memcpy(tensor.getMutableData() + i * width, &code, width);
  }
  return createConstant(builder, loc, tensor, elementType);
}

Value qopt::reshapeConstant(OpBuilder &builder, Value value,
                            ArrayRef<int64_t> dims) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return {};
  auto type = RankedTensorType::get(
      dims, cast<RankedTensorType>(value.getType()).getElementType());
  Attribute attr = constant.getValue();
  if (auto elements = dyn_cast<DenseElementsAttr>(attr))
    attr = elements.reshape(type);
  return ConstantOp::create(builder, constant.getLoc(), type, attr);
}

SmallVector<double> qopt::readReals(ConstantOp constant) {
  HostTensor tensor = llvm::cantFail(readConstant(constant));
  Type elementType =
      cast<RankedTensorType>(constant.getResult().getType()).getElementType();
  unsigned width = getBytesPerElement(tensor.getType());
  SmallVector<double> reals;
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i) {
    const char *at = tensor.getData() + i * width;
    if (elementType.isSignlessInteger(32)) {
      int32_t value;
      std::memcpy(&value, at, 4);
      reals.push_back(value);
      continue;
    }
    uint32_t code = 0;
    std::memcpy(&code, at, width);
    reals.push_back(decode(code, *elementFormatOf(elementType)));
  }
  return reals;
}
