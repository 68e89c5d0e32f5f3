//===- EqualRegions.cpp - Regions that hold the same ops ------------------===//

#include "dialects/QKernel/Transforms/EqualRegions.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace qopt;

llvm::hash_code kernel::hashRegion(Region &region) {
  llvm::hash_code hash(0);
  region.walk([&](Operation *op) {
    hash =
        llvm::hash_combine(hash, OperationEquivalence::computeHash(
                                     op, OperationEquivalence::ignoreHashValue,
                                     OperationEquivalence::ignoreHashValue,
                                     OperationEquivalence::IgnoreLocations));
  });
  return hash;
}

bool kernel::areRegionsEqual(Region &a, Region &b) {
  return OperationEquivalence::isRegionEquivalentTo(
      &a, &b, OperationEquivalence::IgnoreLocations);
}
