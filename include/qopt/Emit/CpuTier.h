//===- CpuTier.h - The kinds of x86-64 code that a model can hold -*- C++ -*-=//
//
// One table says how the code of a tier is generated and what the runtime
// must find on the machine before it runs it.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_EMIT_CPUTIER_H
#define QOPT_EMIT_CPUTIER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace qopt {

struct CpuTier {
  /// In messages, manifests, QOPT_CPU and entry names (`main.<name>`).
  llvm::StringRef name;
  /// The code generator's CPU and features beyond it. The CPU has no feature
  /// that the runtime does not look for.
  llvm::StringRef cpu;
  llvm::StringRef features;
  /// QOPT_RT_FEATURE_* bits.
  int64_t requiredFeatures;
};

/// All tiers, from the one that most machines run to the best.
llvm::ArrayRef<CpuTier> getCpuTiers();

/// The tier of this name, or null. `sapphirerapids` is another name of `amx`.
const CpuTier *findCpuTier(llvm::StringRef name);

/// The tiers that this machine runs, none better than the one that QOPT_CPU
/// names: a model for this machine is also run by a runtime that reads it.
llvm::SmallVector<const CpuTier *> getNativeCpuTiers();

} // namespace qopt

#endif // QOPT_EMIT_CPUTIER_H
