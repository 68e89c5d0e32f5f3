//===- TargetRegistry.h - The targets of a compiler -------------*- C++ -*-===//
//
// Filled by one call a target (registerX86Target and its like); no static
// constructors.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_TARGETREGISTRY_H
#define QOPT_TARGET_TARGETREGISTRY_H

#include "qopt/Target/TargetBackend.h"
#include "llvm/Support/JSON.h"
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

  /// The target where none is named: the first one of CPUs that has a machine
  /// here, else the first one. Null where there is none.
  const TargetBackend *findDefault() const;

  /// The CPU that runs programs for the user of `target`: its own machines
  /// where they are CPUs and here, else those of the default. Null where no
  /// machine is here.
  std::pair<const TargetBackend *, const Machine *>
  findCpuFor(const TargetBackend &target) const;

  /// Adds the dialects of all targets, and makes their kernels known to passes,
  /// which may ask for them as long as the registry exists.
  void registerDialects(mlir::DialectRegistry &dialects) const;

  /// What each target and machine is and whether it is here: objects with
  /// `target`, `machine`, `host` (of devices), `runs_here` and `detail`.
  llvm::json::Array describe() const;

  /// In the order of registration.
  llvm::ArrayRef<std::unique_ptr<TargetBackend>> backends() const {
    return all;
  }

private:
  std::vector<std::unique_ptr<TargetBackend>> all;
};

} // namespace qopt

#endif // QOPT_TARGET_TARGETREGISTRY_H
