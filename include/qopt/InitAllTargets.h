//===- InitAllTargets.h - Every target a tool knows -------------*- C++ -*-===//
//
// The list is in lib/Target/CMakeLists.txt; a target needs no other place to be
// known.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_INITALLTARGETS_H
#define QOPT_INITALLTARGETS_H

#include "qopt/Target/TargetRegistry.h"

namespace qopt {

void registerAllTargets(TargetRegistry &registry);

} // namespace qopt

#endif // QOPT_INITALLTARGETS_H
