//===- CpuFeatures.h - What this machine can run ----------------*- C++ -*-===//
//
// A feature is there when the CPU has it and the system saves its registers.
// Each architecture has a folder with its features and these functions.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_CPUFEATURES_H
#define QOPT_LIB_RUNTIME_CPUFEATURES_H

#include <stdint.h>

namespace qopt::runtime {

/// The features of this machine, as bits. Where the system must be asked to let
/// this process use registers that `wanted` needs, it is; this must happen
/// before threads are made.
int64_t detectCpuFeatures(int64_t wanted);

/// A name for the lowest bit that is set in `features`, for messages.
const char *nameOfFeature(int64_t features);

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_CPUFEATURES_H
