//===- Elements.h - Reading and writing elements of tensors -----*- C++ -*-===//
//
// Evaluators compute on f32 and on integers; other element types are widened
// when read and rounded or cut once when written.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_REFERENCE_ELEMENTS_H
#define LIB_REFERENCE_ELEMENTS_H

#include "dialects/QOpt/IR/Formats.h"
#include "qopt/Support/HostTensor.h"
#include <vector>

namespace qopt::reference {

/// The element format of a host type: everything but bool, f64 and integers of
/// 32 bits and more.
std::optional<ElementFormat> getElementFormat(ElementType type);

bool isFloat(ElementType type);
bool isInteger(ElementType type);

/// Elements as f32: the tensor's own where it has them, else decoded.
class FloatElements {
public:
  explicit FloatElements(const HostTensor &tensor);
  FloatElements(FloatElements &&) = default;

  const float *data() const { return view.data(); }
  float operator[](int64_t i) const { return view[i]; }
  int64_t size() const { return view.size(); }

private:
  std::vector<float> decoded;
  llvm::ArrayRef<float> view;
};

/// A result computed in f32: the tensor's own elements where it has f32, else
/// a buffer of zeros that `commit` rounds into the tensor.
class FloatResult {
public:
  explicit FloatResult(HostTensor &tensor);

  float *data() { return view.data(); }
  float &operator[](int64_t i) { return view[i]; }
  int64_t size() const { return view.size(); }
  void commit();

private:
  HostTensor &tensor;
  std::vector<float> buffer;
  llvm::MutableArrayRef<float> view;
};

/// One element of any type as f32; integers are rounded.
float readFloat(const HostTensor &tensor, int64_t index);
/// Rounds `value` to the element type, a float.
void writeFloat(HostTensor &tensor, int64_t index, float value);

/// One element of an integer type or bool.
int64_t readInteger(const HostTensor &tensor, int64_t index);
/// Stores the low bits of `value`.
void writeInteger(HostTensor &tensor, int64_t index, int64_t value);

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

using Shape = llvm::SmallVector<int64_t, 6>;

/// Row-major strides in elements.
Shape getStrides(llvm::ArrayRef<int64_t> dims);

int64_t getProduct(llvm::ArrayRef<int64_t> dims);

/// Strides with which a tensor of `dims` is read as one of `target`: 0 where
/// its dim is 1 or absent.
Shape getBroadcastStrides(llvm::ArrayRef<int64_t> dims,
                          llvm::ArrayRef<int64_t> target);

/// Steps `position` to the next one in row-major order of `dims`.
void advance(llvm::MutableArrayRef<int64_t> position,
             llvm::ArrayRef<int64_t> dims);

/// For each row-major position of `dims`, the offset that `strides` give.
std::vector<int64_t> getOffsets(llvm::ArrayRef<int64_t> dims,
                                llvm::ArrayRef<int64_t> strides);

} // namespace qopt::reference

#endif // LIB_REFERENCE_ELEMENTS_H
