//===- NearestName.h - What a mistyped name may stand for -------*- C++ -*-===//
//
// Messages on flags, presets, patterns and inputs that do not exist end in what
// may have been meant, by one measure.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_NEARESTNAME_H
#define QOPT_SUPPORT_NEARESTNAME_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace qopt {

/// The nearest of the names that are added; the first in order of those that
/// are equally near. Names that have little in common with `wanted` do not
/// count, unless `isAnyNear`. Holds no strings.
class NearestName {
public:
  explicit NearestName(llvm::StringRef wanted, bool isAnyNear = false);
  void add(llvm::StringRef known);
  /// Empty where none is near.
  llvm::StringRef get() const { return nearest; }

private:
  llvm::StringRef wanted, nearest;
  unsigned least;
};

/// `; did you mean 'NAME'?`, or nothing where there is no name.
std::string suggest(llvm::StringRef name);

} // namespace qopt

#endif // QOPT_SUPPORT_NEARESTNAME_H
