//===- HostTensor.cpp - A dense tensor in memory ----------------*- C++ -*-===//
//
// Sizes come from files, so every product is checked.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/HostTensor.h"

#include "qopt/Support/CodedError.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cstdlib>
#include <cstring>

using namespace qopt;

std::optional<uint64_t> qopt::computeSizeInBytes(ElementType type,
                                                 llvm::ArrayRef<int64_t> dims) {
  // A zero dim makes the tensor empty, but must not hide an absurd other one:
  // code that multiplies a part of the dims would overflow.
  int64_t size = getBytesPerElement(type);
  bool isEmpty = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      return std::nullopt;
    if (dim == 0) {
      isEmpty = true;
      continue;
    }
    if (llvm::MulOverflow(size, dim, size))
      return std::nullopt;
  }
  return isEmpty ? 0 : size;
}

std::string qopt::formatDims(llvm::ArrayRef<int64_t> dims) {
  if (dims.empty())
    return "scalar";
  return llvm::join(
      llvm::map_range(dims, [](int64_t dim) { return std::to_string(dim); }),
      "x");
}

llvm::Expected<HostTensor> HostTensor::allocate(ElementType type,
                                                llvm::ArrayRef<int64_t> dims) {
  std::optional<uint64_t> size = computeSizeInBytes(type, dims);
  if (!size)
    return makeError(ExitCode::BadData, "the size of a tensor of " +
                                            formatDims(dims) + " " +
                                            getName(type) + " overflows");
  HostTensor tensor;
  tensor.type = type;
  tensor.dims.assign(dims.begin(), dims.end());
  tensor.sizeInBytes = *size;
  tensor.capacityInBytes =
      llvm::alignTo(*size + QOPT_BUFFER_SLACK, QOPT_BUFFER_ALIGNMENT);
  char *data = static_cast<char *>(
      std::aligned_alloc(QOPT_BUFFER_ALIGNMENT, tensor.capacityInBytes));
  if (!data)
    return makeError(ExitCode::NoResource, "no memory for a tensor of " +
                                               llvm::Twine(*size) + " bytes");
  std::memset(data, 0, tensor.capacityInBytes);
  tensor.storage = std::shared_ptr<char>(data, std::free);
  return tensor;
}

llvm::Expected<HostTensor> HostTensor::copy(ElementType type,
                                            llvm::ArrayRef<int64_t> dims,
                                            llvm::ArrayRef<char> bytes) {
  llvm::Expected<HostTensor> tensor = allocate(type, dims);
  if (!tensor)
    return tensor;
  if (tensor->sizeInBytes != bytes.size())
    return makeError(ExitCode::BadData,
                     "a tensor of " + formatDims(dims) + " " + getName(type) +
                         " takes " + llvm::Twine(tensor->sizeInBytes) +
                         " bytes, but found " + llvm::Twine(bytes.size()));
  if (!bytes.empty())
    std::memcpy(tensor->getMutableData(), bytes.data(), bytes.size());
  return tensor;
}

HostTensor HostTensor::borrow(ElementType type, llvm::ArrayRef<int64_t> dims,
                              llvm::ArrayRef<char> bytes) {
  assert(computeSizeInBytes(type, dims) == bytes.size() && "size differs");
  HostTensor tensor;
  tensor.type = type;
  tensor.dims.assign(dims.begin(), dims.end());
  tensor.sizeInBytes = tensor.capacityInBytes = bytes.size();
  tensor.storage = std::shared_ptr<char>(std::shared_ptr<char>(),
                                         const_cast<char *>(bytes.data()));
  return tensor;
}

HostTensor HostTensor::bitcast(ElementType newType) const {
  assert(getBytesPerElement(newType) == getBytesPerElement(type) &&
         "element width differs");
  HostTensor tensor = *this;
  tensor.type = newType;
  return tensor;
}

HostTensor HostTensor::reshape(llvm::ArrayRef<int64_t> newDims) const {
  assert(computeSizeInBytes(type, newDims) == sizeInBytes && "size differs");
  HostTensor tensor = *this;
  tensor.dims.assign(newDims.begin(), newDims.end());
  return tensor;
}
