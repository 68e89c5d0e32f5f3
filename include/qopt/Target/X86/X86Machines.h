//===- X86Machines.h - The tiers of x86-64 ----------------------*- C++ -*-===//
//
// Apart from the target, so that what needs a machine needs no kernels.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_X86_X86MACHINES_H
#define QOPT_TARGET_X86_X86MACHINES_H

#include "qopt/Target/Machine.h"

namespace qopt {

/// From the one that most machines run to the best.
llvm::ArrayRef<Machine> getX86Machines();

} // namespace qopt

#endif // QOPT_TARGET_X86_X86MACHINES_H
