//===- TargetRegistry.h - The targets of a compiler -------------*- C++ -*-===//
//
// Filled by one call a target (registerX86Target and its like); no static
// constructors.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_TARGETREGISTRY_H
#define QOPT_TARGET_TARGETREGISTRY_H

#include "qopt/Target/TargetBackend.h"
#include <memory>

namespace qopt {

class TargetRegistry {
public:
  /// Adds a target. A name can be taken once: the first one stays.
  bool add(std::unique_ptr<TargetBackend> backend);

  /// Adds the targets of `other`, which keeps those whose names are taken.
  void takeFrom(TargetRegistry &other);

  /// The target with this name, or null.
  const TargetBackend *find(llvm::StringRef name) const;

  /// In the order of registration.
  llvm::ArrayRef<std::unique_ptr<TargetBackend>> backends() const {
    return all;
  }

private:
  std::vector<std::unique_ptr<TargetBackend>> all;
};

} // namespace qopt

#endif // QOPT_TARGET_TARGETREGISTRY_H
