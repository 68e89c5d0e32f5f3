//===- Tier.cpp - What kernels know of an x86-64 level --------------------===//
//
// One row for each machine.
//
//===----------------------------------------------------------------------===//

#include "Tier.h"

using namespace qopt::x86;

static constexpr Tier kTable[] = {
    {"x86-64-v3", 256, 16, false, false},
    {"x86-64-v4", 512, 32, true, false},
    {"amx", 512, 32, true, true},
};

llvm::ArrayRef<Tier> qopt::x86::getTiers() { return kTable; }

const Tier *qopt::x86::findTier(llvm::StringRef name) {
  for (const Tier &tier : kTable)
    if (tier.name == name)
      return &tier;
  return nullptr;
}
