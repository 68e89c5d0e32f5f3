//===- Tier.h - The x86-64 levels we generate code for ----------*- C++ -*-===//
//
// One table: what a tier may use and how large its register file is.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_TIER_H
#define QOPT_LIB_TARGET_X86_TIER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace qopt::x86 {

struct Tier {
  /// The name in `--cpu`, in QOPT_CPU and in the entry symbol.
  llvm::StringLiteral name;
  /// What LLVM is asked for.
  llvm::StringLiteral cpu, features;
  unsigned vectorBits;
  /// 8-bit dot products with 32-bit sums.
  bool hasVnni;
  unsigned numRegisters;
};

/// Ascending: a machine that runs a tier runs those before it.
llvm::ArrayRef<Tier> tiers();

/// The tier with this name, or null.
const Tier *findTier(llvm::StringRef name);

} // namespace qopt::x86

#endif
