//===- AnnotateFacts.h - What is known of the values of operands *- C++ -*-===//
//
// For whoever lowers a program without the phase `kernels`.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_ANNOTATEFACTS_H
#define DIALECTS_QKERNEL_TRANSFORMS_ANNOTATEFACTS_H

#include "mlir/IR/Operation.h"

namespace qopt::kernel {

/// Writes on every op in `program` that has a kernel what is known of the
/// values of its operands, in place of what stood there.
void annotateFacts(mlir::Operation *program);

} // namespace qopt::kernel

#endif
