//===- Tiers.h - The choice among a model's tiers ---------------*- C++ -*-===//
//
// The last tier in the model's table that the machine can run, unless the user
// names one.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_TIERS_H
#define QOPT_LIB_RUNTIME_TIERS_H

#include "Program.h"
#include "Text.h"

namespace qopt::runtime {

/// Describes the tiers of `program` in `infos`, which has room for them, and
/// chooses one. `features` is what the machine has; `wanted` is the name that
/// the user gave, or null. Fails with a text.
qopt_status chooseTier(const qopt_rt_program &program, int64_t features,
                       const char *wanted, qopt_tier_info *infos,
                       int64_t &chosen, TextBuffer error);

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_TIERS_H
