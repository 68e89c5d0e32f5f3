//===- ScaleLayout.cpp - Where the scale of a code is ---------------------===//
//
// A size that is the dim wins over one that counts blocks: both are 1.
//
//===----------------------------------------------------------------------===//

#include "ScaleLayout.h"

using namespace qopt;
using namespace qopt::reference;
using llvm::ArrayRef;

ScaleLayout ScaleLayout::broadcast(ArrayRef<int64_t> sizes,
                                   ArrayRef<int64_t> dims) {
  return {getBroadcastStrides(sizes, dims), Shape(dims.size(), 1)};
}

std::optional<ScaleLayout> ScaleLayout::get(ArrayRef<int64_t> sizes,
                                            ArrayRef<int64_t> dims,
                                            std::optional<FormatAttr> format) {
  if (sizes.size() != dims.size())
    return std::nullopt;
  ScaleLayout layout = broadcast(sizes, dims);
  for (size_t i = 0; i < dims.size(); ++i) {
    if (sizes[i] == 1 || sizes[i] == dims[i])
      continue;
    int64_t block = format ? format->getBlockSize() : 0;
    if (!block || static_cast<int64_t>(i) != format->getAxis() ||
        sizes[i] != (dims[i] + block - 1) / block)
      return std::nullopt;
    layout.blocks[i] = block;
  }
  return layout;
}

int64_t ScaleLayout::getOffset(ArrayRef<int64_t> position) const {
  int64_t offset = 0;
  for (size_t i = 0; i < position.size(); ++i)
    offset += position[i] / blocks[i] * strides[i];
  return offset;
}
