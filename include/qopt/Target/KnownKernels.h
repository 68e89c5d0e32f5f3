//===- KnownKernels.h - The kernels that passes find ------------*- C++ -*-===//
//
// Passes on a variant ask the dialect for the kernels of its target.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_KNOWNKERNELS_H
#define QOPT_TARGET_KNOWNKERNELS_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "qopt/Target/TargetBackend.h"

namespace qopt {

/// Makes the kernels of `backend` known to the passes of a context, to whose
/// dialect they are added. It outlives them.
void makeKernelsKnown(const TargetBackend &backend,
                      kernel::QKernelDialect &dialect);

} // namespace qopt

#endif // QOPT_TARGET_KNOWNKERNELS_H
