//===- InitAllTargets.h - Every target a tool knows -------------*- C++ -*-===//
//
// One call a target; a target needs no other place to be known.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_INITALLTARGETS_H
#define QOPT_INITALLTARGETS_H

#include "qopt/Target/TargetRegistry.h"
#include "qopt/Target/X86/X86Backend.h"
#ifdef QOPT_ENABLE_VULKAN
#include "qopt/Target/Vulkan/VulkanBackend.h"
#endif

namespace qopt {

inline void registerAllTargets(TargetRegistry &registry) {
  registerX86Target(registry);
#ifdef QOPT_ENABLE_VULKAN
  registerVulkanTarget(registry);
#endif
}

/// The dialects and translations that the targets need.
inline void registerAllTargetDialects(mlir::DialectRegistry &registry) {
  registerX86Dialects(registry);
#ifdef QOPT_ENABLE_VULKAN
  registerVulkanDialects(registry);
#endif
}

} // namespace qopt

#endif
