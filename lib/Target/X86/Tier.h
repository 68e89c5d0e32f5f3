//===- Tier.h - The tiers of x86-64 as kernels see them ---------*- C++ -*-===//
//
// Machine says what LLVM generates code for; this says what our own kernels
// choose by and are written with.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_TIER_H
#define QOPT_LIB_TARGET_X86_TIER_H

#include "lib/Target/Cpu/Tier.h"

namespace qopt::x86 {

/// Those of the machine's features that rows of the kernel table name.
struct TierFeatures {
  /// Vectors of 512 bits and 8-bit dot products with 32-bit sums.
  bool hasVnni;
  /// 8-bit tiles with 32-bit sums.
  bool hasAmx;
};

struct TierRow {
  /// The name of the machine.
  llvm::StringLiteral name;
  TierFeatures features;
  const cpu::Tier *tier;
};

/// The least demanding one first.
llvm::ArrayRef<TierRow> getTiers();

/// The tier with this name, or null.
const TierRow *findTier(llvm::StringRef name);

} // namespace qopt::x86

#endif
