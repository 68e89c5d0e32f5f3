//===- CaptureList.h - Host values that a kernel uses -----------*- C++ -*-===//
//
// What a launch passes on, by the variables that hold it.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_CAPTURELIST_H
#define QOPT_LIB_TARGET_CPU_CAPTURELIST_H

#include "VectorBuilder.h"
#include "lib/Target/Host/HostProgram.h"

namespace qopt::cpu {

/// Host values that a kernel uses. In the kernel, `enter` puts its own values
/// in their place.
class CaptureList {
public:
  void add(mlir::Value &slot) {
    if (slot)
      slots.push_back(&slot);
  }
  void add(std::initializer_list<mlir::Value *> many) {
    for (mlir::Value *slot : many)
      add(*slot);
  }
  llvm::SmallVector<mlir::Value> values() const {
    return llvm::map_to_vector(slots, [](mlir::Value *slot) { return *slot; });
  }
  void enter(const KernelScope &scope) {
    for (auto [slot, value] : llvm::zip(slots, scope.captures))
      *slot = value;
  }

private:
  llvm::SmallVector<mlir::Value *> slots;
};

} // namespace qopt::cpu

#endif
