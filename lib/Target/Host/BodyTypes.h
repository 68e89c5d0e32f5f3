//===- BodyTypes.h - Types that kernels have code for -----------*- C++ -*-===//
//
// The words for those that they have none for.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_BODYTYPES_H
#define QOPT_LIB_TARGET_HOST_BODYTYPES_H

#include "dialects/QKernel/IR/Kernel.h"

namespace qopt::host {

/// Why an op on elements of a type has no kernel.
kernel::Match unsupported(mlir::Type element);

} // namespace qopt::host

#endif
