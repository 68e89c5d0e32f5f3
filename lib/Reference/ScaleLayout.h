//===- ScaleLayout.h - Where the scale of a code is -------------*- C++ -*-===//
//
// Scales and zeros have the rank of the codes; each size is 1, the dim, or the
// number of blocks on the axis of the format, the last block perhaps short.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_REFERENCE_SCALELAYOUT_H
#define LIB_REFERENCE_SCALELAYOUT_H

#include "Elements.h"
#include "dialects/QOpt/IR/QOptDialect.h"

namespace qopt::reference {

/// How the elements of an operand lie under those of a shape.
struct ScaleLayout {
  Shape strides;
  /// Elements of the shape along each axis that share one of the operand.
  Shape blocks;

  /// numpy's broadcast of `sizes` to `dims`.
  static ScaleLayout broadcast(llvm::ArrayRef<int64_t> sizes,
                               llvm::ArrayRef<int64_t> dims);
  /// Of scales of `sizes` beside codes of `dims`; nothing if they do not fit.
  static std::optional<ScaleLayout> get(llvm::ArrayRef<int64_t> sizes,
                                        llvm::ArrayRef<int64_t> dims,
                                        std::optional<FormatAttr> format);

  /// Offset of the operand's element under `position`.
  int64_t getOffset(llvm::ArrayRef<int64_t> position) const;
};

} // namespace qopt::reference

#endif // LIB_REFERENCE_SCALELAYOUT_H
