//===- Kernels.h - The kernels of x86-64 ------------------------*- C++ -*-===//
//
// Those of all CPUs, by the features that they need.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_KERNELS_H
#define QOPT_LIB_TARGET_X86_KERNELS_H

#include "Tier.h"
#include "dialects/QKernel/IR/Kernel.h"

namespace qopt::x86 {

/// The kernels of a tier: its rows of the table, and what all CPUs run.
kernel::KernelList kernelsOf(const TierRow &tier);

} // namespace qopt::x86

#endif
