//===- EqualRegions.h - Regions that hold the same ops ----------*- C++ -*-===//
//
// Wherever their locations and what they use from outside come from. Things are
// put in buckets by a hash, and only those of one bucket compared.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_EQUALREGIONS_H
#define DIALECTS_QKERNEL_TRANSFORMS_EQUALREGIONS_H

#include "mlir/IR/Region.h"
#include "llvm/ADT/Hashing.h"

namespace qopt::kernel {

/// The same for equal regions. Which values an op uses is left to the
/// comparison.
llvm::hash_code hashRegion(mlir::Region &region);

bool areRegionsEqual(mlir::Region &a, mlir::Region &b);

} // namespace qopt::kernel

#endif
