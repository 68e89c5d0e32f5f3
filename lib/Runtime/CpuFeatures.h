//===- CpuFeatures.h - What this machine can run ----------------*- C++ -*-===//
//
// A feature is there when the CPU has it and the system saves its registers.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_CPUFEATURES_H
#define QOPT_LIB_RUNTIME_CPUFEATURES_H

#include <stdint.h>

namespace qopt::runtime {

/// The QOPT_RT_FEATURE_* bits of this machine. When `wanted` holds an AMX bit
/// the system is asked to let this process use its registers; it must be asked
/// before threads are made.
int64_t detectCpuFeatures(int64_t wanted);

/// A name for the lowest bit that is set in `features`, for messages.
const char *nameOfFeature(int64_t features);

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_CPUFEATURES_H
