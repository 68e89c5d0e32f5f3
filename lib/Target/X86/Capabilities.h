//===- Capabilities.h - What the x86-64 kernels can run ---------*- C++ -*-===//
//
// The table that kernels are chosen by, tested by and reported by.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_CAPABILITIES_H
#define QOPT_LIB_TARGET_X86_CAPABILITIES_H

#include "Tier.h"
#include "qopt/Target/TargetBackend.h"

namespace qopt::x86 {

/// The rows of the table whose feature `tier` has.
TargetCapabilities capabilitiesOf(const Tier &tier);

/// `choice`, or what runs in its place where its row says more than the kernel
/// can: the sums of groups are integers only where they are sure to be exact.
KernelChoice checkedChoice(const Tier &tier, mlir::Operation *op,
                           KernelChoice choice);

} // namespace qopt::x86

#endif
