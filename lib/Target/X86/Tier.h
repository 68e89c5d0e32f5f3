//===- Tier.h - What kernels know of an x86-64 level ------------*- C++ -*-===//
//
// Machine says what LLVM generates code for; this says what our own kernels
// choose by.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_TIER_H
#define QOPT_LIB_TARGET_X86_TIER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace qopt::x86 {

struct Tier {
  /// The name of the machine; the entry is `main.<name>`.
  llvm::StringLiteral name;
  unsigned vectorBits;
  unsigned numRegisters;
  /// 8-bit dot products with 32-bit sums.
  bool hasVnni;
  /// 8-bit tiles with 32-bit sums.
  bool hasAmx;
};

/// The least demanding one first.
llvm::ArrayRef<Tier> getTiers();

/// The tier with this name, or null.
const Tier *findTier(llvm::StringRef name);

} // namespace qopt::x86

#endif
