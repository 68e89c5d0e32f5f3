//===- CpuTier.cpp - The kinds of x86-64 code that a model can hold -------===//
//
// `amx` is not generated for the CPU sapphirerapids: that has many features
// that the runtime would all have to look for.
//
//===----------------------------------------------------------------------===//

#include "qopt/Emit/CpuTier.h"

#include "lib/Runtime/CpuFeatures.h"
#include "lib/Runtime/Program.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdlib>

using namespace qopt;

static const CpuTier cpuTiers[] = {
    {"x86-64-v3", "x86-64-v3", "", QOPT_RT_FEATURE_X86_64_V3},
    {"x86-64-v4", "x86-64-v4", "+avx512vnni",
     QOPT_RT_FEATURE_X86_64_V3 | QOPT_RT_FEATURE_X86_64_V4 |
         QOPT_RT_FEATURE_AVX512_VNNI},
    {"amx", "x86-64-v4", "+avx512vnni,+amx-tile,+amx-int8,+amx-bf16",
     QOPT_RT_FEATURE_X86_64_V3 | QOPT_RT_FEATURE_X86_64_V4 |
         QOPT_RT_FEATURE_AVX512_VNNI | QOPT_RT_FEATURE_AMX_INT8 |
         QOPT_RT_FEATURE_AMX_BF16},
};

llvm::ArrayRef<CpuTier> qopt::getCpuTiers() { return cpuTiers; }

const CpuTier *qopt::findCpuTier(llvm::StringRef name) {
  if (name == "sapphirerapids")
    name = "amx";
  for (const CpuTier &tier : cpuTiers)
    if (tier.name == name)
      return &tier;
  return nullptr;
}

llvm::SmallVector<const CpuTier *> qopt::getNativeCpuTiers() {
  int64_t wanted = 0;
  for (const CpuTier &tier : cpuTiers)
    wanted |= tier.requiredFeatures;
  int64_t features = runtime::detectCpuFeatures(wanted);
  const char *best = getenv("QOPT_CPU");
  llvm::SmallVector<const CpuTier *> tiers;
  for (const CpuTier &tier : cpuTiers) {
    if ((tier.requiredFeatures & ~features) == 0)
      tiers.push_back(&tier);
    if (best && tier.name == best)
      break;
  }
  return tiers;
}
