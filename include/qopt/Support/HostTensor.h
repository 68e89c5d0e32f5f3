//===- HostTensor.h - A dense tensor in memory ------------------*- C++ -*-===//
//
// What files of arrays, the reference evaluator and compiled models exchange:
// row-major elements, aligned and with slack so that models use it in place.
// Copies share the bytes: write only into a tensor that you just allocated.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_HOSTTENSOR_H
#define QOPT_SUPPORT_HOSTTENSOR_H

#include "qopt/Support/ElementType.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <cassert>
#include <memory>
#include <string>

namespace qopt {

/// Bytes of a tensor, or nothing when a dim is negative or the product
/// overflows.
std::optional<uint64_t> computeSizeInBytes(ElementType type,
                                           llvm::ArrayRef<int64_t> dims);

/// Dims as text: `2x3`, or `scalar`.
std::string formatDims(llvm::ArrayRef<int64_t> dims);

class HostTensor {
public:
  /// An f32 tensor without elements.
  HostTensor() : dims{0} {}

  /// A new tensor filled with zero bytes. Fails when the size overflows or
  /// there is no memory.
  static llvm::Expected<HostTensor> allocate(ElementType type,
                                             llvm::ArrayRef<int64_t> dims);

  /// A new tensor with a copy of `bytes`, whose number must fit.
  static llvm::Expected<HostTensor> copy(ElementType type,
                                         llvm::ArrayRef<int64_t> dims,
                                         llvm::ArrayRef<char> bytes);

  /// A tensor over `bytes`, which the caller keeps alive and unchanged. Such a
  /// tensor has no slack and must not be written to.
  static HostTensor borrow(ElementType type, llvm::ArrayRef<int64_t> dims,
                           llvm::ArrayRef<char> bytes);

  /// The same bits as another type of the same width; nothing is converted.
  HostTensor bitcast(ElementType newType) const;

  /// The same elements with other dims of the same product.
  HostTensor reshape(llvm::ArrayRef<int64_t> newDims) const;

  ElementType getType() const { return type; }
  llvm::ArrayRef<int64_t> getDims() const { return dims; }
  int64_t getRank() const { return dims.size(); }
  int64_t getNumElements() const {
    return sizeInBytes / getBytesPerElement(type);
  }
  uint64_t getSizeInBytes() const { return sizeInBytes; }
  /// Bytes that may be read from `getData()` on.
  uint64_t getCapacityInBytes() const { return capacityInBytes; }

  const char *getData() const { return storage.get(); }
  char *getMutableData() { return storage.get(); }
  llvm::ArrayRef<char> getBytes() const { return {getData(), sizeInBytes}; }

  /// The elements as an array of `T`, whose width must be the element's.
  template <typename T> llvm::ArrayRef<T> as() const {
    assert(sizeof(T) == getBytesPerElement(type) && "element width differs");
    return {reinterpret_cast<const T *>(getData()),
            static_cast<size_t>(getNumElements())};
  }
  template <typename T> llvm::MutableArrayRef<T> asMutable() {
    assert(sizeof(T) == getBytesPerElement(type) && "element width differs");
    return {reinterpret_cast<T *>(getMutableData()),
            static_cast<size_t>(getNumElements())};
  }

private:
  ElementType type = ElementType::F32;
  llvm::SmallVector<int64_t, 6> dims;
  uint64_t sizeInBytes = 0;
  uint64_t capacityInBytes = 0;
  std::shared_ptr<char> storage;
};

/// A tensor with the name of the model input or output that it belongs to.
struct NamedTensor {
  std::string name;
  HostTensor tensor;
};

} // namespace qopt

#endif // QOPT_SUPPORT_HOSTTENSOR_H
